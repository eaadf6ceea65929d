//! The recipients of the files that `encrypt` writes.

use anyhow::Result;

use crate::{
    cli::{
        args::Encrypt,
        commands::session::Session,
        keys::recipients::{Named, Origin, Recipients},
        terminal::advice::misuse,
    },
    crypto::Recipient,
};

/// The recipients that the command line names, and no others.
pub(super) fn read<'a>(args: &'a Encrypt, session: &mut Session<'_>) -> Result<Named<'a>> {
    if args.recipients.0.is_empty() && !args.passphrase {
        return misuse(
            "missing recipients: there is nobody to encrypt to",
            "name a public key with -r, a file of public keys with -R, or your own key file with -i, or use a passphrase with -p; 'solekey keygen -o key.txt' makes a key",
        );
    }
    Named::read(&mut session.key_files, &args.recipients.0)
}

/// Reads the rest, and asks for a passphrase.
pub(super) fn complete(args: &Encrypt, named: Named<'_>, session: &mut Session<'_>) -> Result<Recipients> {
    if !args.passphrase {
        return Recipients::to_encrypt_to(&mut session.key_files, named);
    }
    let passphrase = Recipient::passphrase(session.key_files.prompt.new_passphrase()?);
    Ok(Recipients { keys: vec![passphrase], origins: vec![Origin::flag("-p")] })
}
