//! Unwraps file keys with a plugin: one session for all headers that are given at once.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    cli::keys::plugins::{
        error::{Failure, into_io},
        message::encode,
        plugin::{Plugin, PluginSession},
    },
    crypto::{ExternalIdentity, FileKey, Stanza, UnwrappedKey, secrecy::Zeroizing},
};

/// Number of sessions that may fail as a whole while the headers are looked for that make them fail.
const FAILURES: usize = 32;

/// The result for a header. `None` if the plugin has nothing to say about it.
type Answer = Option<Result<FileKey, Arc<Failure>>>;

/// An identity of a plugin, which unwraps file keys with it.
pub(super) struct Unwrapper {
    plugin: Plugin,
    identity: Zeroizing<String>,
    /// Answers that were asked for ahead, by the stanzas of their headers.
    ahead: Mutex<HashMap<Vec<u8>, Vec<Answer>>>,
}

impl ExternalIdentity for Unwrapper {
    fn unwrap(&self, headers: &[&[Stanza]]) -> io::Result<Vec<UnwrappedKey>> {
        let mut answers: Vec<_> = headers.iter().map(|header| self.take(header)).collect();
        let missing: Vec<_> = headers.iter().zip(&answers).filter(|(_, answer)| answer.is_none()).collect();
        let missing: Vec<_> = missing.into_iter().map(|(header, _)| *header).collect();
        let asked = if missing.is_empty() { Vec::new() } else { self.ask(&missing) };
        let mut asked = asked.into_iter();
        for answer in answers.iter_mut().filter(|answer| answer.is_none()) {
            *answer = asked.next();
        }
        let unwrapped = |answer: Answer| answer.map(|result| result.map_err(into_io));
        Ok(answers.into_iter().map(|answer| answer.and_then(unwrapped)).collect())
    }

    fn unwrap_ahead(&self, headers: &[&[Stanza]]) -> Vec<bool> {
        let answers = self.ask(headers);
        let found = answers.iter().map(Option::is_some).collect();
        let mut ahead = self.ahead();
        for (header, answer) in headers.iter().zip(answers) {
            ahead.entry(id(header)).or_default().push(answer);
        }
        found
    }
}

impl Unwrapper {
    pub(super) fn new(plugin: Plugin, identity: &str) -> Self {
        Self { plugin, identity: Zeroizing::new(identity.to_owned()), ahead: Mutex::default() }
    }

    fn ahead(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Vec<Answer>>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer for a header, if it was asked for ahead.
    fn take(&self, header: &[Stanza]) -> Option<Answer> {
        let mut ahead = self.ahead();
        if ahead.is_empty() {
            return None;
        }
        let id = id(header);
        let answers = ahead.get_mut(&id)?;
        let answer = answers.pop();
        if answers.is_empty() {
            ahead.remove(&id);
        }
        answer
    }

    /// The answer for each header, from as few sessions as the plugin allows.
    fn ask(&self, headers: &[&[Stanza]]) -> Vec<Answer> {
        if headers.len() < 2 || self.plugin.serves_many.get() == Some(&false) {
            return self.ask_each(headers);
        }
        let answers = self.session(headers);
        let beyond_first = |answers: &Vec<Answer>| answers[1..].iter().any(|answer| matches!(answer, Some(Ok(_))));
        if answers.as_ref().is_ok_and(beyond_first) {
            let _ = self.plugin.serves_many.set(true);
        }
        let is_final = match &answers {
            Ok(answers) => answers.iter().flatten().any(|answer| answer.as_ref().is_err_and(|one| one.is_final())),
            Err(failure) => failure.is_final(),
        };
        if self.plugin.serves_many.get().is_none() && !is_final && self.serves_first_only(&headers[1..]) {
            let _ = self.plugin.serves_many.set(false);
            return self.ask_each(headers);
        }
        match answers {
            Ok(answers) => answers,
            Err(failure) if is_final => headers.iter().map(|_| Some(Err(failure.clone()))).collect(),
            Err(_) => self.ask_halves(headers, &mut FAILURES.clone()),
        }
    }

    /// Whether the plugin, which gave none of these file keys, gives one if all stanzas are those of a single file.
    fn serves_first_only(&self, headers: &[&[Stanza]]) -> bool {
        let copy =
            |stanza: &Stanza| Stanza { tag: stanza.tag.clone(), args: stanza.args.clone(), body: stanza.body.clone() };
        let all: Vec<_> = headers.iter().copied().flatten().map(copy).collect();
        self.session(&[&all]).is_ok_and(|answers| matches!(only(answers), Some(Ok(_))))
    }

    /// Asks for each header in a session of its own.
    fn ask_each(&self, headers: &[&[Stanza]]) -> Vec<Answer> {
        let mut failures = FAILURES;
        let mut last = None;
        let mut each = |header: &&[Stanza]| {
            if failures == 0
                && let Some(failure) = &last
            {
                return Some(Err(Arc::clone(failure)));
            }
            match self.session(&[header]) {
                Ok(answers) => only(answers),
                Err(failure) => {
                    failures = if failure.is_final() { 0 } else { failures - 1 };
                    last = Some(failure.clone());
                    Some(Err(failure))
                }
            }
        };
        headers.iter().map(&mut each).collect()
    }

    /// Asks for both halves of headers that together made a session fail, and so on. One of them may be malformed, and it must
    /// not keep the others from being opened.
    fn ask_halves(&self, headers: &[&[Stanza]], failures: &mut usize) -> Vec<Answer> {
        let (one, other) = headers.split_at(headers.len() / 2);
        let mut answers = Vec::with_capacity(headers.len());
        for half in [one, other] {
            match self.session(half) {
                Ok(found) => answers.extend(found),
                Err(failure) => {
                    *failures = if failure.is_final() { 0 } else { failures.saturating_sub(1) };
                    if half.len() > 1 && *failures > 0 {
                        answers.extend(self.ask_halves(half, failures));
                    } else {
                        answers.extend(half.iter().map(|_| Some(Err(failure.clone()))));
                    }
                }
            }
        }
        answers
    }

    fn session(&self, headers: &[&[Stanza]]) -> Result<Vec<Answer>, Arc<Failure>> {
        let work = |session: PluginSession<'_, '_>| session.unwrap(&self.identity, headers);
        let (unwrapped, ended) = self.plugin.run("identity-v1", headers.len(), work)?;
        let answer = |result: Result<FileKey, _>| result.map_err(|fault| ended.failure(fault));
        Ok(unwrapped.into_iter().map(|result| result.map(answer)).collect())
    }
}

/// The answer for the only header of a session.
fn only(mut answers: Vec<Answer>) -> Answer {
    answers.pop().flatten()
}

/// The encoding of a header's stanzas, which is equal for equal stanzas only.
fn id(header: &[Stanza]) -> Vec<u8> {
    let encode = |stanza: &Stanza| encode(&stanza.tag, stanza.args.iter().map(String::as_str), &stanza.body).to_vec();
    header.iter().flat_map(encode).collect()
}
