//! Frame Streams, one way: a length in network order and so many bytes; the length 0 announces a control frame. Pure.

/// The longest frame: an answer over TCP and what stands around it.
const LONGEST: usize = 70 * 1024;

/// What came of a stream so far.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    /// Takes more of the stream and gives the frames that are whole; control frames say nothing to who only listens. None if
    /// this is no such stream.
    pub fn take(&mut self, more: &[u8]) -> Option<Vec<Vec<u8>>> {
        self.bytes.extend_from_slice(more);
        let mut frames = Vec::new();
        while let Some((length, rest)) = number(&self.bytes) {
            let (is_data, length, rest) = match length {
                0 => match number(rest) {
                    Some((length, rest)) => (false, length, rest),
                    None => break,
                },
                length => (true, length, rest),
            };
            if length > LONGEST {
                return None;
            }
            let Some((frame, rest)) = rest.split_at_checked(length) else { break };
            if is_data {
                frames.push(frame.to_vec());
            }
            self.bytes = rest.to_vec();
        }
        Some(frames)
    }
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_be_bytes(*number)).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framed(frames: &[Vec<u8>]) -> Vec<u8> {
        let control = [&[0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2][..]];
        let data = frames.iter().flat_map(|frame| {
            let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
            length.into_iter().chain(frame.iter().copied()).collect::<Vec<u8>>()
        });
        control.concat().into_iter().chain(data).collect()
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_frames_are_what_was_written(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..6),
            cut in 1_usize..40,
        ) {
            let (stream, mut reader) = (framed(&frames), Frames::default());
            let read: Vec<Vec<u8>> = stream.chunks(cut).flat_map(|piece| reader.take(piece).unwrap()).collect();
            prop_assert_eq!(read, frames);
        }

        #[test]
        fn memory_is_bounded_whatever_comes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut reader = Frames::default();
            let _ = reader.take(&bytes);
            prop_assert!(reader.bytes.len() <= LONGEST + 8);
        }
    }
}
