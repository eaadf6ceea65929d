//! Groups of inputs that are announced before they are processed, so that a plugin is asked for all of them in one session.

use std::collections::VecDeque;

use anyhow::Result;

use crate::cli::files::naming::InputPath;

/// Files in a group.
const FILES: usize = 4096;

/// Inputs, read a group ahead.
pub(crate) struct Groups<I, A> {
    inputs: I,
    announce: A,
    /// Files that are read at once.
    size: usize,
    group: VecDeque<Result<InputPath>>,
}

/// Yields inputs. Before the first input of a group, `announce` gets the paths of the whole group, except standard input.
///
/// Unless they are to be `announced`, inputs are passed on one by one: a list may still be growing while its first files are
/// processed.
pub(crate) fn groups<I, A>(inputs: I, announced: bool, announce: A) -> Groups<I::IntoIter, A>
where
    I: IntoIterator<Item = Result<InputPath>>,
    A: FnMut(Vec<InputPath>),
{
    let size = if announced { FILES } else { 1 };
    Groups { inputs: inputs.into_iter(), announce, size, group: VecDeque::new() }
}

impl<I: Iterator<Item = Result<InputPath>>, A: FnMut(Vec<InputPath>)> Iterator for Groups<I, A> {
    type Item = Result<InputPath>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.size == 1 {
            return self.inputs.next();
        }
        if self.group.is_empty() {
            self.group.extend(self.inputs.by_ref().take(self.size));
            let files = self.group.iter().flatten().filter(|input| !input.is_stdin());
            (self.announce)(files.cloned().collect());
        }
        self.group.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.inputs.size_hint();
        (least + self.group.len(), most.map(|most| most + self.group.len()))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn a_group_is_announced_before_its_first_input_and_without_standard_input() {
        let read = RefCell::new(0);
        let inputs = (0..FILES + 2).map(|number| {
            *read.borrow_mut() += 1;
            Ok(InputPath::new(if number == 1 { "-".into() } else { number.to_string().into() }))
        });
        let announced = RefCell::new(Vec::new());
        let mut grouped = groups(inputs, true, |files: Vec<InputPath>| announced.borrow_mut().push(files.len()));
        assert_eq!(grouped.size_hint(), (FILES + 2, Some(FILES + 2)));
        assert!(grouped.next().is_some() && *read.borrow() == FILES);
        assert_eq!((grouped.size_hint(), &announced.borrow()[..]), ((FILES + 1, Some(FILES + 1)), &[FILES - 1][..]));
        assert_eq!(grouped.by_ref().count(), FILES + 1);
        assert_eq!(announced.borrow()[..2], [FILES - 1, 2]);
    }

    #[test]
    fn inputs_that_are_not_announced_are_passed_on_one_by_one() {
        let read = RefCell::new(0);
        let inputs = (0..3).map(|number: u8| {
            *read.borrow_mut() += 1;
            Ok(InputPath::new(number.to_string().into()))
        });
        let mut one_by_one = groups(inputs, false, |_| panic!("nothing is announced"));
        assert!(one_by_one.next().is_some() && *read.borrow() == 1);
        assert_eq!(one_by_one.count(), 2);
    }
}
