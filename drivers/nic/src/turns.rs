//! Several receive queues of one device, which are asked in turn.

use crate::frame::Frame;

/// Whose turn it is among a device's receive queues.
#[derive(Debug, Default)]
pub struct Turns {
    next: usize,
}

impl Turns {
    /// Appends to `frames` at most `budget` that `queues` have received, with their queue's number: `take` asks a queue for
    /// so many at most. The one that is asked first is another each time, so that none starves.
    pub fn receive<Q>(
        &mut self,
        queues: &mut [Q],
        budget: usize,
        frames: &mut Vec<Frame>,
        take: impl Fn(&mut Q, usize, &mut Vec<Frame>),
    ) {
        let enough = frames.len() + budget;
        for _ in 0..queues.len() {
            let (begin, number) = (frames.len(), self.next);
            if let Some(queue) = queues.get_mut(number) {
                take(queue, enough - begin, frames);
            }
            if number > 0 {
                frames.iter_mut().skip(begin).for_each(|frame| frame.metadata.queue = number as u8);
            }
            self.next = if number + 1 < queues.len() { number + 1 } else { 0 };
            if frames.len() >= enough {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::tests::pool;

    /// What comes of asking queues that have so many frames left for `budget` of them: the frames' queues.
    fn ask(turns: &mut Turns, left: &mut [usize], budget: usize) -> Vec<u8> {
        let pool = pool(20);
        let mut frames = Vec::new();
        turns.receive(left, budget, &mut frames, |left, most, frames| {
            let count = most.min(*left);
            *left -= count;
            frames.extend((0..count).filter_map(|_| pool.take().map(Frame::new)));
        });
        frames.iter().map(|frame| frame.metadata.queue).collect()
    }

    #[test]
    fn a_queue_that_always_has_frames_starves_no_other() {
        let (mut turns, mut left) = (Turns::default(), [100, 1, 1]);
        assert_eq!(ask(&mut turns, &mut left, 4), [0; 4]);
        assert_eq!(ask(&mut turns, &mut left, 4), [1, 2, 0, 0]);
        assert_eq!(ask(&mut turns, &mut left, 4), [0; 4]);
    }

    #[test]
    fn a_round_ends_though_there_is_nothing() {
        let (mut turns, mut left) = (Turns::default(), [0, 2]);
        assert_eq!(ask(&mut turns, &mut left, 8), [1, 1]);
        assert!(ask(&mut turns, &mut left, 8).is_empty());
        assert!(ask(&mut turns, &mut [], 8).is_empty());
    }
}
