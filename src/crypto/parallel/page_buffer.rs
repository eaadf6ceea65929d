//! A worker's memory, laid out as the file that it is copied from or to.

/// Memory in which bytes stand where they stand in a file, by their place within a page. The system copies such bytes a
/// third faster than others, and segments of a sealed file begin anywhere in a page.
pub(crate) struct Buffer {
    memory: Box<[u8]>,
    /// Where the first whole page begins.
    page: usize,
}

/// Bytes of the smallest page of all systems.
const PAGE: usize = 4096;

impl Buffer {
    /// Room for `length` bytes, wherever in a page they begin.
    pub(crate) fn new(length: usize) -> Self {
        let memory = vec![0; length + 2 * PAGE].into_boxed_slice();
        // No alignment is a correct answer too, only a slow one.
        let page = memory.as_ptr().align_offset(PAGE).min(PAGE);
        Self { memory, page }
    }

    /// The memory for bytes that stand at `offset` in a file.
    pub(crate) fn at(&mut self, offset: u64) -> &mut [u8] {
        let within_page = usize::try_from(offset % PAGE as u64).expect("it is less than a page");
        &mut self.memory[self.page + within_page..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stand_where_they_stand_in_the_file() {
        let mut buffer = Buffer::new(10_000);
        for offset in [0, 1, 16, 4095, 4096, 1_048_832, u64::MAX] {
            let memory = buffer.at(offset);
            assert!(memory.len() >= 10_000);
            assert_eq!(memory.as_ptr().addr() as u64 % PAGE as u64, offset % PAGE as u64);
        }
    }
}
