//! A session with a plugin: `recipient-v1` wraps many file keys, `identity-v1` unwraps those of many headers.
//!
//! The client speaks first, then the plugin, and each of its commands gets a response. Spec: <https://c2sp.org/age-plugin>.

use std::{
    collections::HashSet,
    io::{ErrorKind, Read, Write},
};

use crate::{
    cli::{
        keys::plugins::{
            error::{Errors, Fault},
            message::{Incoming, Message, encode},
            redact::Secrets,
        },
        terminal::persona::{self, Family},
    },
    crypto::{
        FileKey, Stanza, WrappedKeys, base64,
        secrecy::{ExposeSecret, SecretString, Zeroizing},
    },
};

/// The most stanzas that a plugin may give for a file key.
const STANZAS_PER_KEY: usize = 1024;
/// Number of messages and questions that a plugin may have in a session, apart from those that each of its files adds.
const MESSAGE_BUDGET: usize = 1000;
/// Number of messages and questions that each file of a session adds.
const FILE_MESSAGES: usize = 10;

/// Passes a plugin's words to the user, and the user's to the plugin. All texts are fit to be shown.
pub(crate) trait Callbacks {
    /// Shows a message.
    fn show(&self, message: &str);
    /// Asks for a choice. `None` if there is no answer.
    fn confirm(&self, question: &str, yes: &str, no: Option<&str>) -> Option<bool>;
    /// Asks for something that may be seen. `None` if there is no answer.
    fn request_public(&self, question: &str) -> Option<String>;
    /// Asks for a secret. `None` if there is no answer.
    fn request_secret(&self, question: &str) -> Option<SecretString>;
}

/// The key that a session is about, in its encoding.
pub(crate) enum Key {
    /// `age1NAME1…`.
    Recipient(String),
    /// `AGE-PLUGIN-NAME-1…`. It may hold a secret.
    Identity(Zeroizing<String>),
}

/// The file key of a header, or why it could not be unwrapped. `None` if the plugin has nothing to say about the header.
pub(crate) type Unwrapped = Option<Result<FileKey, Fault>>;

/// One run of a state machine, over a peer that reads and writes.
pub(crate) struct Session<'s, S> {
    peer: S,
    callbacks: &'s dyn Callbacks,
    incoming: Incoming,
    /// Number of messages and questions that the plugin may still have.
    messages_left: usize,
    secrets: &'s mut Secrets,
}

impl<'s, S: Read + Write> Session<'s, S> {
    /// A session for `files` files. All file keys that it sends and receives are added to `secrets`.
    pub(crate) fn new(peer: S, files: usize, callbacks: &'s dyn Callbacks, secrets: &'s mut Secrets) -> Self {
        let messages_left = MESSAGE_BUDGET.saturating_add(FILE_MESSAGES.saturating_mul(files));
        Self { peer, callbacks, incoming: Incoming::new(files), messages_left, secrets }
    }

    /// Wraps file keys with the state machine `recipient-v1`.
    ///
    /// # Errors
    ///
    /// Any [`Fault`]. Every file key gets at least one stanza, or all of them fail.
    pub(crate) fn wrap(mut self, key: &Key, file_keys: &[FileKey]) -> Result<WrappedKeys, Fault> {
        match key {
            Key::Recipient(text) => self.send("add-recipient", &[text], b"")?,
            Key::Identity(text) => self.send("add-identity", &[text], b"")?,
        }
        self.send("extension-labels", &[], b"")?;
        for file_key in file_keys {
            self.secrets.add(file_key);
            self.send("wrap-file-key", &[], file_key.expose_secret())?;
        }
        self.send("done", &[], b"")?;

        let mut stanzas: Vec<_> = file_keys.iter().map(|_| Vec::new()).collect();
        let mut labels = None;
        let mut errors = Errors::default();
        while let Some(mut message) =
            self.next_unless_over(&["recipient-stanza", "labels", "error"], !errors.is_empty())?
        {
            match message.command.as_str() {
                "recipient-stanza" => {
                    let data = message.take_data();
                    let mut words = message.metadata.into_iter();
                    let (Some(index), Some(tag)) = (words.next(), words.next()) else {
                        return Err(Fault::Protocol("a stanza has no type"));
                    };
                    let index = index_of(&index).filter(|index| *index < stanzas.len());
                    let index = index.ok_or(Fault::Protocol("a stanza is for a file key that was not given"))?;
                    if stanzas[index].len() == STANZAS_PER_KEY {
                        return Err(Fault::TooMuch("for one file key"));
                    }
                    stanzas[index].push(Stanza { tag, args: words.collect(), body: data });
                }
                "labels" => {
                    let words = message.metadata.len();
                    let distinct: HashSet<_> = message.metadata.into_iter().collect();
                    if distinct.len() != words {
                        return Err(Fault::Protocol("a label is given twice"));
                    }
                    if labels.replace(distinct).is_some() {
                        return Err(Fault::Protocol("labels are given twice"));
                    }
                }
                _ => errors.add(match (message.metadata.as_slice(), key) {
                    ([kind, _], Key::Recipient(key)) if kind == "recipient" => {
                        self.reported(&format!("couldn't use recipient {key}:"), &message)
                    }
                    ([kind, _], Key::Identity(_)) if kind == "identity" => {
                        self.reported("couldn't use an identity:", &message)
                    }
                    _ => self.other_error(&message),
                }),
            }
            self.send("ok", &[], b"")?;
        }
        if let Some(fault) = errors.fault() {
            return Err(fault);
        }
        if stanzas.iter().any(Vec::is_empty) {
            return Err(Fault::NoStanza);
        }
        Ok(WrappedKeys { stanzas, labels: labels.unwrap_or_default() })
    }

    /// Unwraps the file keys of headers with the state machine `identity-v1`. Gives one result per header, in order.
    ///
    /// # Errors
    ///
    /// Any [`Fault`] but [`Fault::NoStanza`] that concerns all headers.
    pub(crate) fn unwrap(mut self, identity: &str, headers: &[&[Stanza]]) -> Result<Vec<Unwrapped>, Fault> {
        self.send("add-identity", &[identity], b"")?;
        // Plugins count the headers that they see.
        let sent: Vec<_> = (0..headers.len()).filter(|index| !headers[*index].is_empty()).collect();
        for (index, header) in sent.iter().map(|index| headers[*index]).enumerate() {
            let index = index.to_string();
            for stanza in header {
                let words = [&index, &stanza.tag].into_iter().chain(&stanza.args).map(String::as_str);
                self.write(&encode("recipient-stanza", words, &stanza.body))?;
            }
        }
        self.send("done", &[], b"")?;

        let mut results: Vec<Unwrapped> = headers.iter().map(|_| None).collect();
        let mut stanza_errors: Vec<_> = headers.iter().map(|_| Errors::default()).collect();
        let mut errors = Errors::default();
        let header_of = |index: &str| index_of(index).and_then(|index| sent.get(index).copied());
        let mut has_errors = false;
        while let Some(message) = self.next_unless_over(&["file-key", "error"], has_errors)? {
            has_errors |= message.command == "error";
            match (message.command.as_str(), message.metadata.as_slice()) {
                ("file-key", [index]) => {
                    let index =
                        header_of(index).ok_or(Fault::Protocol("a file key is for a file that was not given"))?;
                    if results[index].is_some() {
                        return Err(Fault::Protocol("two file keys are for the same file"));
                    }
                    let file_key = file_key(&message.data);
                    if let Ok(file_key) = &file_key {
                        self.secrets.add(file_key);
                    }
                    results[index] = Some(file_key);
                }
                ("file-key", _) => return Err(Fault::Protocol("a file key does not say for which file it is")),
                (_, [kind, index, stanza]) if kind == "stanza" => {
                    let index =
                        header_of(index).ok_or(Fault::Protocol("an error is about a file that was not given"))?;
                    let number = index_of(stanza).filter(|stanza| *stanza < headers[index].len());
                    let number = number.ok_or(Fault::Protocol("an error is about a stanza that was not given"))? + 1;
                    stanza_errors[index].add(self.reported(&format!("couldn't use stanza {number}:"), &message));
                }
                (_, [kind, _]) if kind == "identity" => {
                    errors.add(self.reported("couldn't use an identity:", &message));
                }
                _ => errors.add(self.other_error(&message)),
            }
            self.send("ok", &[], b"")?;
        }
        // A file key counts for more than an error, which may be about another of the plugin's ways to it.
        for (result, stanza_errors) in results.iter_mut().zip(stanza_errors) {
            if result.is_none() {
                *result = stanza_errors.fault().or_else(|| errors.fault()).map(Err);
            }
        }
        Ok(results)
    }

    /// The same as [`next`](Self::next), but a plugin that has reported an error may end without saying that it is done: age's
    /// own framework for plugins does that.
    fn next_unless_over(&mut self, known: &[&str], has_reported: bool) -> Result<Option<Message>, Fault> {
        match self.next(known) {
            Err(Fault::Ended) if has_reported => Ok(None),
            next => next,
        }
    }

    /// Answers commands until there is one of those that are `known`, and returns that. `None` at the end of the session.
    fn next(&mut self, known: &[&str]) -> Result<Option<Message>, Fault> {
        loop {
            let message = self.incoming.read(&mut self.peer)?;
            let command = message.command.as_str();
            if ["msg", "confirm", "request-public", "request-secret"].contains(&command) {
                self.messages_left = self.messages_left.checked_sub(1).ok_or(Fault::TooMuch("to show and to ask"))?;
            }
            match command {
                "done" => return Ok(None),
                "msg" => {
                    self.callbacks.show(&self.text(&message));
                    self.send("ok", &[], b"")?;
                }
                "confirm" => match self.confirm(&message)? {
                    Some(yes) => self.send("ok", &[if yes { "yes" } else { "no" }], b"")?,
                    None => self.send("fail", &[], b"")?,
                },
                "request-public" => match self.callbacks.request_public(&self.text(&message)).map(Zeroizing::new) {
                    Some(answer) => self.send("ok", &[], answer.as_bytes())?,
                    None => self.send("fail", &[], b"")?,
                },
                "request-secret" => match self.callbacks.request_secret(&self.text(&message)) {
                    Some(answer) => self.send("ok", &[], answer.expose_secret().as_bytes())?,
                    None => self.send("fail", &[], b"")?,
                },
                command if known.contains(&command) => return Ok(Some(message)),
                // Grease too: commands that no version of the protocol has, so that clients learn to live with new ones.
                _ => self.send("unsupported", &[], b"")?,
            }
        }
    }

    fn confirm(&self, message: &Message) -> Result<Option<bool>, Fault> {
        let decode = |word: &String| {
            let decoded = base64::decode(word).ok_or(Fault::Protocol("a choice is not in base64"))?;
            Ok(self.secrets.shown(&String::from_utf8_lossy(&decoded)))
        };
        let (yes, no) = match message.metadata.as_slice() {
            [yes] => (decode(yes)?, None),
            [yes, no] => (decode(yes)?, Some(decode(no)?)),
            _ => return Err(Fault::Protocol("a question has not one or two choices")),
        };
        Ok(self.callbacks.confirm(&self.text(message), &yes, no.as_deref()))
    }

    /// The text that a message holds.
    fn text(&self, message: &Message) -> String {
        self.secrets.shown(&String::from_utf8_lossy(&message.data))
    }

    /// An error of a kind that needs no words of ours.
    fn other_error(&self, message: &Message) -> String {
        let kind = if message.metadata.is_empty() { "unknown".to_owned() } else { message.metadata.join(" ") };
        self.reported(&format!("({kind})"), message)
    }

    /// An error that the plugin reported, after `subject`. age prints the text alone.
    fn reported(&self, subject: &str, message: &Message) -> String {
        match persona::family() {
            Some(Family::Age) => self.text(message),
            _ => self.secrets.shown(format!("{subject} {}", self.text(message)).trim_end()),
        }
    }

    fn send(&mut self, command: &str, metadata: &[&str], data: &[u8]) -> Result<(), Fault> {
        self.write(&encode(command, metadata.iter().copied(), data))
    }

    fn write(&mut self, message: &[u8]) -> Result<(), Fault> {
        match self.peer.write_all(message).and_then(|()| self.peer.flush()) {
            // A plugin may stop reading, for example after an error. If it has ended, the next read says so.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(Fault::Io),
        }
    }
}

/// An index in its only spelling: decimal digits without leading zeros.
fn index_of(text: &str) -> Option<usize> {
    text.parse().ok().filter(|index: &usize| index.to_string() == text)
}

fn file_key(data: &[u8]) -> Result<FileKey, Fault> {
    FileKey::try_init_with_mut(|key| {
        if data.len() != key.len() {
            return Err(Fault::KeyLength);
        }
        key.copy_from_slice(data);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::{
        cell::RefCell,
        io::{self, Read, Write},
    };

    use super::*;
    use crate::cli::keys::plugins::script::Script;

    const RECIPIENT: &str = "age1x1qqqqqqq";
    const IDENTITY: &str = "AGE-PLUGIN-X-1QVHULF";

    /// Notes what it is shown and asked, and gives the same answer each time.
    #[derive(Default)]
    struct User {
        answers: bool,
        shown: RefCell<Vec<String>>,
    }

    impl User {
        fn note(&self, text: &str) {
            self.shown.borrow_mut().push(text.to_owned());
        }
    }

    impl Callbacks for User {
        fn show(&self, message: &str) {
            self.note(message);
        }

        fn confirm(&self, question: &str, yes: &str, no: Option<&str>) -> Option<bool> {
            self.note(&format!("{question} {yes} {no:?}"));
            self.answers.then_some(false)
        }

        fn request_public(&self, question: &str) -> Option<String> {
            self.note(question);
            self.answers.then(|| "an answer\n-> done".to_owned())
        }

        fn request_secret(&self, question: &str) -> Option<SecretString> {
            self.note(question);
            self.answers.then(|| SecretString::from("1234"))
        }
    }

    fn keys(count: u8) -> Vec<FileKey> {
        (0..count).map(|byte| FileKey::new(Box::new([byte; 16]))).collect()
    }

    fn stanza(tag: &str) -> Stanza {
        Stanza { tag: tag.to_owned(), args: vec!["an".to_owned(), "argument".to_owned()], body: vec![7; 5] }
    }

    /// The result of a session.
    fn wrap_with<P: Read + Write>(peer: P, user: &User, count: u8) -> Result<WrappedKeys, Fault> {
        let key = Key::Recipient(RECIPIENT.to_owned());
        Session::new(peer, count.into(), user, &mut Secrets::default()).wrap(&key, &keys(count))
    }

    fn wrap(says: &str, count: u8) -> Result<WrappedKeys, Fault> {
        wrap_with(Script::new(says.as_bytes()), &User::default(), count)
    }

    fn unwrap_with<P: Read + Write>(peer: P, user: &User, headers: &[&[Stanza]]) -> Result<Vec<Unwrapped>, Fault> {
        Session::new(peer, headers.len(), user, &mut Secrets::default()).unwrap(IDENTITY, headers)
    }

    /// Asks for the file keys of `count` headers with two stanzas each.
    fn unwrap(says: &str, count: usize) -> Result<Vec<Unwrapped>, Fault> {
        let header = [stanza("a"), stanza("b")];
        let headers: Vec<_> = (0..count).map(|_| &header[..]).collect();
        unwrap_with(Script::new(says.as_bytes()), &User::default(), &headers)
    }

    /// The fault of a failed session, in words.
    fn fault<T>(result: Result<T, Fault>) -> String {
        result.err().map_or_else(|| "it went well".to_owned(), |fault| fault.to_string())
    }

    /// In words: a file key by its first byte, an error, or nothing.
    fn told(result: &Unwrapped) -> String {
        match result {
            Some(Ok(key)) => key.expose_secret()[0].to_string(),
            Some(Err(fault)) => fault.to_string(),
            None => "nothing".to_owned(),
        }
    }

    const KEY_0: &str = "AAAAAAAAAAAAAAAAAAAAAA";
    const KEY_1: &str = "AQEBAQEBAQEBAQEBAQEBAQ";

    #[test]
    fn one_session_wraps_many_file_keys() {
        let says = "-> labels one two\n\n-> recipient-stanza 1 b c d\nAAAA\n-> recipient-stanza 0 a\n\n\
                    -> recipient-stanza 1 e\n\n-> done\n\n";
        let mut peer = Script::new(says.as_bytes());
        let wrapped = wrap_with(&mut peer, &User::default(), 2).expect("all is well");
        let tags: Vec<Vec<_>> =
            wrapped.stanzas.iter().map(|all| all.iter().map(|stanza| stanza.tag.as_str()).collect()).collect();
        assert_eq!(tags, [vec!["a"], vec!["b", "e"]]);
        assert_eq!(
            (&wrapped.stanzas[1][0].args[..], &wrapped.stanzas[1][0].body[..]),
            (&["c", "d"].map(String::from)[..], &[0; 3][..])
        );
        assert_eq!(wrapped.labels, HashSet::from(["one", "two"].map(String::from)));
        assert_eq!(
            String::from_utf8(peer.heard).expect("ASCII"),
            format!(
                "-> add-recipient {RECIPIENT}\n\n-> extension-labels\n\n-> wrap-file-key\n{KEY_0}\n-> wrap-file-key\n{KEY_1}\n\
                 -> done\n\n{}",
                "-> ok\n\n".repeat(4)
            )
        );
    }

    #[test]
    fn file_keys_are_wrapped_to_an_identity_too() {
        let mut peer = Script::new(b"-> recipient-stanza 0 a\n\n-> done\n\n");
        let key = Key::Identity(Zeroizing::new(IDENTITY.to_owned()));
        let user = User::default();
        let wrapped = Session::new(&mut peer, 1, &user, &mut Secrets::default()).wrap(&key, &keys(1));
        assert!(wrapped.is_ok_and(|wrapped| wrapped.labels.is_empty()));
        assert!(peer.heard.starts_with(format!("-> add-identity {IDENTITY}\n\n").as_bytes()));
    }

    #[test]
    fn one_session_unwraps_the_file_keys_of_many_headers() {
        let headers = [vec![stanza("a")], vec![stanza("b"), stanza("c")], vec![], vec![stanza("d")]];
        let headers: Vec<_> = headers.iter().map(Vec::as_slice).collect();
        let says = format!("-> file-key 2\n{KEY_1}\n-> file-key 0\n{KEY_0}\n-> done\n\n");
        let mut peer = Script::new(says.as_bytes());
        let unwrapped = unwrap_with(&mut peer, &User::default(), &headers).expect("all is well");
        assert_eq!(unwrapped.iter().map(told).collect::<Vec<_>>(), ["0", "nothing", "nothing", "1"]);
        // Plugins may insist that no number is left out.
        let sent = |index, tag| format!("-> recipient-stanza {index} {tag} an argument\nBwcHBwc\n");
        let stanzas = [sent(0, "a"), sent(1, "b"), sent(1, "c"), sent(2, "d")].concat();
        let expected = format!("-> add-identity {IDENTITY}\n\n{stanzas}-> done\n\n-> ok\n\n-> ok\n\n");
        assert_eq!(String::from_utf8(peer.heard).expect("ASCII"), expected);
    }

    #[test]
    fn each_file_has_its_own_errors_and_those_of_all() {
        // "bad"
        let says = format!(
            "-> error stanza 0 1\nYmFk\n-> error stanza 1 0\nYmFk\n-> file-key 1\n{KEY_1}\n-> file-key 2\nAAAA\n-> done\n\n"
        );
        let unwrapped = unwrap(&says, 4).expect("it concerns single files");
        let expected = ["couldn't use stanza 2: bad", "1", "it gave a file key of the wrong length", "nothing"];
        assert_eq!(unwrapped.iter().map(told).collect::<Vec<_>>(), expected);

        let says = format!(
            "-> error identity 0\nYmFk\n-> file-key 1\n{KEY_1}\n-> error internal\nYmFk\n-> error\n\n-> error new kind\n\n\
             -> error stanza 2 0\nYmFk\n-> done\n\n"
        );
        let unwrapped = unwrap(&says, 3).expect("it concerns single files");
        let all = "couldn't use an identity: bad; (internal) bad; (unknown); (new kind)";
        assert_eq!(unwrapped.iter().map(told).collect::<Vec<_>>(), [all, "1", "couldn't use stanza 1: bad"]);
    }

    #[test]
    fn errors_of_wrapping_count_for_more_than_stanzas() {
        let says = "-> error recipient 0\nYmFk\n-> error internal\nYmFk\n-> recipient-stanza 0 a\n\n-> done\n\n";
        assert_eq!(fault(wrap(says, 1)), format!("couldn't use recipient {RECIPIENT}: bad; (internal) bad"));
        let many = "-> error internal\nYmFk\n".repeat(1000);
        let said = fault(wrap(&format!("{many}-> done\n\n"), 1));
        assert!(said.ends_with("(internal) bad; and 992 more") && said.len() < 500, "{said}");
        assert_eq!(fault(wrap("-> done\n\n", 1)), "it gave neither a stanza nor an error");
        assert_eq!(fault(wrap("-> recipient-stanza 0 a\n\n-> done\n\n", 2)), "it gave neither a stanza nor an error");
    }

    #[test]
    fn the_user_is_shown_and_asked() {
        // "touch it", "sure?" with "yes" and "no", "which?", "PIN?"; a command of the future.
        let asks = "-> msg\ndG91Y2ggaXQ\n-> confirm eWVz bm8\nc3VyZT8\n-> confirm eWVz\nc3VyZT8\n-> request-public\nd2hpY2g/\n\
                    -> request-secret\nUElOPw\n-> x-grease 17\nAAAA\n";
        let shown = ["touch it", "sure? yes Some(\"no\")", "sure? yes None", "which?", "PIN?"];
        let answered =
            "-> ok\n\n-> ok no\n\n-> ok no\n\n-> ok\nYW4gYW5zd2VyCi0+IGRvbmU\n-> ok\nMTIzNA\n-> unsupported\n\n";
        let failed = "-> ok\n\n-> fail\n\n-> fail\n\n-> fail\n\n-> fail\n\n-> unsupported\n\n";
        for (answers, responses) in [(true, answered), (false, failed)] {
            let user = User { answers, ..User::default() };
            let says = format!("{asks}-> recipient-stanza 0 a\n\n{asks}-> done\n\n");
            let mut peer = Script::new(says.as_bytes());
            assert!(wrap_with(&mut peer, &user, 1).is_ok());
            assert_eq!(user.shown.borrow()[..5], shown);
            let heard = String::from_utf8(peer.heard).expect("ASCII");
            assert!(heard.ends_with(&format!("-> done\n\n{responses}-> ok\n\n{responses}")), "{heard}");
            let says = format!("{asks}-> file-key 0\n{KEY_0}\n{asks}-> done\n\n");
            let header = [stanza("a")];
            assert!(unwrap_with(Script::new(says.as_bytes()), &user, &[&header]).is_ok());
        }
    }

    #[test]
    fn what_breaks_the_protocol_is_refused() {
        let begins = "it violates the plugin protocol";
        for says in [
            "what is this?\n",
            "\n\n",
            "-> recipient-stanza\n\n",
            "-> recipient-stanza 0\n\n",
            "-> recipient-stanza a b\n\n",
            "-> recipient-stanza 2 b\n\n",
            "-> recipient-stanza -1 b\n\n",
            "-> recipient-stanza +0 b\n\n",
            "-> recipient-stanza 00 b\n\n",
            "-> recipient-stanza 99999999999999999999 b\n\n",
            "-> labels a a\n\n",
            "-> labels a\n\n-> labels b\n\n",
            "-> labels\n\n-> labels\n\n",
            "-> confirm\n\n",
            "-> confirm a\n\n",
            "-> confirm eWVz eWVz eWVz\n\n",
            "-> msg\n!\n",
            "-> done \n\n",
        ] {
            let said = fault(wrap(&format!("{says}-> done\n\n"), 2));
            assert!(said.starts_with(begins), "{says:?}: {said}");
        }
        for says in [
            "what is this?\n",
            "-> file-key\n\n",
            "-> file-key 0 0\n\n",
            "-> file-key 2\nAAAAAAAAAAAAAAAAAAAAAA\n",
            "-> file-key 00\nAAAAAAAAAAAAAAAAAAAAAA\n",
            "-> file-key 0\nAAAAAAAAAAAAAAAAAAAAAA\n-> file-key 0\nAAAAAAAAAAAAAAAAAAAAAA\n",
            "-> file-key 0\n\n-> file-key 0\nAAAAAAAAAAAAAAAAAAAAAA\n",
            "-> file-key 0\nAAAAAAAAAAAAAAAAAAAAAB\n",
            "-> error stanza 2 0\n\n",
            "-> error stanza 0 2\n\n",
            "-> error stanza 0 x\n\n",
        ] {
            let said = fault(unwrap(&format!("{says}-> done\n\n"), 2));
            assert!(said.starts_with(begins), "{says:?}: {said}");
        }
        // Commands of the other state machine are unknown in this one.
        assert_eq!(fault(wrap("-> file-key 0\n\n-> done\n\n", 1)), "it gave neither a stanza nor an error");
        assert!(unwrap("-> recipient-stanza 9\n\n-> labels a a\n\n-> done\n\n", 1).is_ok());
    }

    #[test]
    fn a_plugin_that_dies_at_any_point_is_reported() {
        let says = "-> msg\nAAAA\n-> labels a\n\n-> recipient-stanza 0 a\nAAAA\n-> request-secret\n\n-> done\n\n";
        assert!(wrap(says, 1).is_ok());
        for length in 0..says.len() {
            assert!(matches!(wrap(&says[..length], 1), Err(Fault::Ended)), "{length}");
        }
        let says = format!("-> confirm eWVz\n\n-> msg\nAAAA\n-> file-key 0\n{KEY_0}\n-> done\n\n");
        assert!(unwrap(&says, 1).is_ok());
        for length in 0..says.len() {
            assert!(matches!(unwrap(&says[..length], 1), Err(Fault::Ended)), "{length}");
        }
    }

    #[test]
    fn a_plugin_that_has_reported_an_error_may_end() {
        for end in ["", "-> done\n\n", "-> do"] {
            let failed = |about: &str| format!("-> error {about}\nYmFk\n{end}");
            assert_eq!(fault(wrap(&failed("internal"), 1)), "(internal) bad");
            for (about, said) in [
                ("internal", "(internal) bad"),
                ("stanza 0 1", "couldn't use stanza 2: bad"),
                ("identity 0", "couldn't use an identity: bad"),
            ] {
                let results = unwrap(&failed(about), 1).expect("the errors are those of a file");
                assert_eq!(results.iter().map(told).collect::<Vec<_>>(), [said], "{end}");
            }
        }
    }

    /// Repeats the same text for ever.
    struct Endless {
        text: &'static [u8],
        next: usize,
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            for byte in &mut *buffer {
                *byte = self.text[self.next % self.text.len()];
                self.next += 1;
            }
            Ok(buffer.len())
        }
    }

    impl Write for Endless {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_plugin_that_speaks_without_end_is_an_error() {
        let header = [stanza("a")];
        for (text, said) in [
            (
                "-> ",
                "it violates the plugin protocol (the words of a message are not visible characters, one space apart)",
            ),
            ("a", "it sent too much in one message"),
            ("-> unknown\n\n", "it sent too much in one session"),
            ("-> error internal\nAAAA\n", "it sent too much in one session"),
            ("-> msg\nAAAA\n", "it sent too much to show and to ask"),
            ("-> request-public\n\n", "it sent too much to show and to ask"),
            ("-> recipient-stanza 0 a\n\n", "it sent too much for one file key"),
        ] {
            let endless = || Endless { text: text.as_bytes(), next: 0 };
            let wrapped = fault(wrap_with(endless(), &User::default(), 1));
            assert!(wrapped == said || text == "-> ", "{text:?}: {wrapped}");
            if !text.contains("stanza") {
                let unwrapped = fault(unwrap_with(endless(), &User::default(), &[&header]));
                assert!(unwrapped == said || text == "-> ", "{text:?}: {unwrapped}");
            }
        }
    }

    /// Reads nothing that is written to it.
    struct Deaf<'s>(&'s [u8], ErrorKind);

    impl Read for Deaf<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Deaf<'_> {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.1.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_plugin_that_reads_no_more_is_heard_out() {
        let says = b"-> error internal\nYmFk\n-> done\n\n";
        assert_eq!(fault(wrap_with(Deaf(says, ErrorKind::BrokenPipe), &User::default(), 1)), "(internal) bad");
        assert!(matches!(wrap_with(Deaf(b"", ErrorKind::BrokenPipe), &User::default(), 1), Err(Fault::Ended)));
        assert!(matches!(wrap_with(Deaf(says, ErrorKind::OutOfMemory), &User::default(), 1), Err(Fault::Io(_))));
    }

    #[test]
    fn no_key_reaches_the_user() {
        let encoded = |text: &str| base64::encode(text);
        // The file key that was sent, in a message and in an error; a secret key in a question.
        let slip = encoded(&format!("the key is {KEY_0}"));
        let secret = encoded("AGE-SECRET-KEY-1QQQ");
        let user = User::default();
        let says = format!(
            "-> msg\n{slip}\n-> request-public\n{secret}\n-> error internal\n{slip}\n-> error {KEY_0}\n\n-> done\n\n"
        );
        let said = fault(wrap_with(Script::new(says.as_bytes()), &user, 1));
        assert_eq!(said, "(internal) [key material]; [key material]");
        assert_eq!(*user.shown.borrow(), ["[key material]", "[key material]"]);
        // One that was received.
        let says = format!("-> file-key 0\n{KEY_0}\n-> msg\n{slip}\n-> done\n\n");
        let header = [stanza("a")];
        let user = User::default();
        assert!(unwrap_with(Script::new(says.as_bytes()), &user, &[&header]).is_ok());
        assert_eq!(*user.shown.borrow(), ["[key material]"]);
    }

    #[test]
    fn texts_cannot_control_the_terminal() {
        let text = base64::encode("touch\u{1b}[2J\nthe \u{202e}key");
        let user = User::default();
        let says = format!("-> msg\n{text}\n-> confirm {text} {text}\n{text}\n-> error internal\n{text}\n-> done\n\n");
        let said = fault(wrap_with(Script::new(says.as_bytes()), &user, 1));
        assert_eq!(said, "(internal) touch [2J the key");
        let plain = "touch [2J the key";
        assert_eq!(*user.shown.borrow(), [plain.to_owned(), format!("{plain} {plain} Some({plain:?})")]);
    }
}
