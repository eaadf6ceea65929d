//! The label of the progress bar.

/// The shortest label, in columns.
const SHORTEST_LABEL: usize = 14;

/// A label of at most a third of a line of `columns`: all of `before`, and the name cut in its middle, because both its start and its
/// end tell files apart.
pub(super) fn label(before: &str, name: &str, columns: u16) -> String {
    let room = usize::from(columns / 3).max(SHORTEST_LABEL).saturating_sub(before.len()).max(SHORTEST_LABEL / 2);
    format!("{before}{}", cut(name, room))
}

/// Cuts the middle out of a name that is wider than `room` columns.
fn cut(name: &str, room: usize) -> String {
    // Characters that are not ASCII may take two columns.
    let width = |character: &char| if character.is_ascii() { 1 } else { 2 };
    if name.chars().map(|character| width(&character)).sum::<usize>() <= room {
        return name.to_owned();
    }
    let fitting = |room: usize, characters: &mut dyn Iterator<Item = char>| {
        let mut left = room;
        let fits = characters.map_while(|character| {
            left = left.checked_sub(width(&character))?;
            Some(character)
        });
        fits.collect::<String>()
    };
    // One column is for the ellipsis. The end, with the name in its folder, gets more.
    let start = room.saturating_sub(1) / 3;
    let end = fitting(room.saturating_sub(1) - start, &mut name.chars().rev());
    format!("{}…{}", fitting(start, &mut name.chars()), end.chars().rev().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn long_names_lose_their_middle() {
        for (name, room, shown) in [
            ("'a.txt'", 7, "'a.txt'"),
            ("'photos/2026/summer/image-0001.jpg'", 16, "'phot…-0001.jpg'"),
            ("'photos'", 3, "…s'"),
            ("'日本語の名前'", 9, "'…名前'"),
            ("x", 0, "…"),
        ] {
            assert_eq!(cut(name, room), shown);
        }
    }
}
