//! The sheet: a key as words and as a QR code.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use qrcode::{
    EcLevel, QrCode,
    render::{svg, unicode::Dense1x2},
};

use crate::{
    cli::commands::paper::words,
    crypto::{
        Identity,
        secrecy::{ExposeSecret, Zeroizing},
    },
};

/// Characters of a public key on a sheet: all of a classic one. A post-quantum key would fill it.
const KEY_SHOWN: usize = 62;
/// Words in a row.
const COLUMNS: usize = 4;
/// Width of the smallest QR code for print, in pixels.
const PIXELS: u32 = 400;

/// Whether a QR code is shown on a terminal, whose colors are not known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    OnTerminal,
    AsText,
}

/// The QR code of the key's text. The text is in upper case, so the code is alphanumeric, which is smaller than a byte code.
fn code(identity: &Identity) -> Result<QrCode> {
    let text = identity.to_text().expect("it is an age key");
    QrCode::with_error_correction_level(text.expose_secret(), EcLevel::M).context("cannot make a QR code")
}

/// The QR code as an SVG image.
///
/// # Errors
///
/// None in practice: every key fits into a code.
pub(super) fn svg(identity: &Identity) -> Result<Zeroizing<String>> {
    Ok(Zeroizing::new(code(identity)?.render::<svg::Color<'_>>().min_dimensions(PIXELS, PIXELS).build()))
}

/// A public key as sheets and terminals show it: only the beginning of a post-quantum one.
pub(super) fn shown_key(recipient: &str) -> String {
    match recipient.get(..KEY_SHOWN) {
        Some(start) if start.len() < recipient.len() => format!("{start}..."),
        _ => recipient.to_owned(),
    }
}

/// The text of a sheet. `kind` is the word for `--kind`.
///
/// # Errors
///
/// Those of the QR code.
pub(super) fn text(identity: &Identity, kind: &str, shown: Shown) -> Result<Zeroizing<String>> {
    let (_, seed) = identity.to_seed().expect("it is an age key");
    let recipient = identity.to_recipient().expect("it is an age key").to_string();
    let public = shown_key(&recipient);
    let words = words::of_seed(&seed);
    let qr = Zeroizing::new(code(identity)?.render::<Dense1x2>().build());
    // Reserve all the room: growing would leave copies in memory.
    let mut text = Zeroizing::new(String::with_capacity(4096 + 2 * qr.len()));
    let _ = write!(
        text,
        "A secret age key. Whoever reads this sheet can open your files.\n\n\
         Public key: {public}\n\
         Kind:       {kind}\n\
         Read back:  solekey paper --read --kind {kind} -o key.txt\n\n"
    );
    for (index, word) in words.split(' ').enumerate() {
        let end = if (index + 1).is_multiple_of(COLUMNS) { "\n" } else { "" };
        let _ = write!(text, "{:>2} {word:<12}{end}", index + 1);
    }
    text.push('\n');
    for line in qr.lines() {
        let _ = match shown {
            // Black on white, whatever the colors of the terminal.
            Shown::OnTerminal => writeln!(text, "\x1b[30;107m{line}\x1b[0m"),
            Shown::AsText => writeln!(text, "{line}"),
        };
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes black and white modules with an independent decoder.
    fn decode(width: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
        // Decoders look for modules of several pixels.
        const SCALE: usize = 4;
        let pixel = |x: usize, y: usize| if is_dark(x / SCALE, y / SCALE) { 0 } else { 255 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width * SCALE, width * SCALE, pixel);
        let [grid] = &image.detect_grids()[..] else { panic!("there is not one code") };
        grid.decode().expect("it decodes").1
    }

    #[test]
    fn an_independent_decoder_reads_the_codes() {
        for (identity, kind) in [(Identity::generate(), "x25519"), (Identity::generate_hybrid(), "pq")] {
            let secret = identity.to_text().expect("it is an age key");
            let text = text(&identity, kind, Shown::AsText).expect("there is a sheet");
            let block = |line: &&str| line.chars().all(|character| " ▀▄█".contains(character)) && line.len() > 40;
            let rows: Vec<Vec<char>> = text.lines().filter(block).map(|line| line.chars().collect()).collect();
            let from_terminal = decode(rows[0].len(), |x, y| match rows.get(y / 2).and_then(|row| row.get(x)) {
                Some('█') => true,
                Some('▀') => y % 2 == 0,
                Some('▄') => y % 2 == 1,
                _ => false,
            });
            assert_eq!(from_terminal, secret.expose_secret());

            // The image is one path of squares: "Mx yh1v1h-1V…" in units that the view box names.
            let svg = svg(&identity).expect("there is an image");
            assert!(svg.starts_with("<?xml") && svg.contains("<path"), "{}", &svg[..200]);
        }
    }
}
