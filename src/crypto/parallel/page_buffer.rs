//! A buffer aligned with the file it is copied to or from.

use std::hint::black_box;

use crate::crypto::{error::Error, parallel::memory::has_room};

/// The smallest page size of any supported system, in bytes.
const PAGE: usize = 4096;

/// Bytes from which on a buffer is allocated only if the system has the memory.
const LONG: usize = 256 << 10;

/// A buffer that places bytes at the same offset within a page as they have in a file.
///
/// The kernel copies such bytes a third faster than others. A segment of a sealed file can start anywhere in a page.
pub(crate) struct PageBuffer {
    memory: Box<[u8]>,
    /// Index in `memory` where its first whole page starts.
    first_page: usize,
    /// Number of bytes from the start of `memory` that may have been written.
    used: usize,
}

impl PageBuffer {
    /// Allocates room for `length` bytes at any offset within a page. A long buffer leaves some memory for small allocations, which
    /// are not checked.
    ///
    /// # Errors
    ///
    /// [`Error::NoBuffer`].
    pub(crate) fn new(length: usize) -> Result<Self, Error> {
        let length = length + 2 * PAGE;
        if length >= LONG && !has_room(length) {
            return Err(Error::NoBuffer);
        }
        // Allocated as zeros, so that the system clears only the pages that are used.
        let memory = vec![0; length].into_boxed_slice();
        // `align_offset` may give up. The buffer then works just as well, only slower.
        let first_page = memory.as_ptr().align_offset(PAGE).min(PAGE);
        Ok(Self { memory, first_page, used: 0 })
    }

    /// Makes room for `length` bytes at any offset within a page. What the buffer holds is lost if it has less.
    ///
    /// # Errors
    ///
    /// [`Error::NoBuffer`].
    pub(crate) fn make_room(&mut self, length: usize) -> Result<(), Error> {
        if self.memory.len() < length + 2 * PAGE {
            // All of it may have been written.
            self.used = self.memory.len();
            *self = Self::new(length)?;
        }
        Ok(())
    }

    /// Returns the memory for bytes at `offset` in a file: at least `length` bytes.
    pub(crate) fn at(&mut self, offset: u64) -> &mut [u8] {
        &mut self.memory[self.first_page + within_page(offset)..]
    }

    /// Says that up to `length` bytes of the memory for `offset` have been written, and must be wiped.
    pub(crate) fn wipe_later(&mut self, offset: u64, length: usize) {
        let end = self.first_page + within_page(offset) + length;
        self.used = self.used.max(end.min(self.memory.len()));
    }
}

fn within_page(offset: u64) -> usize {
    usize::try_from(offset % PAGE as u64).expect("the remainder is smaller than a page")
}

/// Plaintext must not stay in memory that is used for something else. What was never written is not touched: a buffer may be much
/// larger than its file.
impl Drop for PageBuffer {
    fn drop(&mut self) {
        // Not `zeroize`, which writes one byte at a time.
        self.memory[..self.used].fill(0);
        black_box(&self.memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_same_offset_within_a_page_as_in_the_file() {
        let mut buffer = PageBuffer::new(10_000).expect("there is memory");
        for offset in [0, 1, 16, 4095, 4096, 1_048_832, u64::MAX] {
            let memory = buffer.at(offset);
            assert!(memory.len() >= 10_000);
            assert_eq!(memory.as_ptr().addr() as u64 % PAGE as u64, offset % PAGE as u64);
        }
    }
}
