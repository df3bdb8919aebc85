//! The place of a recording in the queue, which its client has.

use std::sync::Arc;

use voiceflow::Cancel;

use super::BatchQueue;

/// Kept by whoever waits for a recording. Dropping it gives the recording up: one that waits leaves
/// the queue at once, and one that is under way ends soon.
#[must_use]
pub struct Ticket {
    pub(super) queue: Arc<BatchQueue>,
    pub(super) number: u64,
    pub(super) cancel: Cancel,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.cancel.set();
        self.queue.leave(self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::thread::JoinHandle;
    use std::time::{Duration, Instant};

    use tokio::sync::{oneshot, watch};
    use voiceflow::Cancel;
    use voiceflow::error::Stage;

    use super::*;
    use crate::metrics::{Kind, Metrics};
    use crate::models::{Bundle, Chosen, testing};
    use crate::traces::Span;
    use crate::voices::Answered;
    use crate::work::batch::{Job, Place, Progress};
    use crate::work::{Failure, Options, REFUSED};

    type Reply = oneshot::Receiver<Result<Answered, Failure>>;

    /// Half a second of silence, and who waits for its answer.
    fn job(bundle: &Arc<Bundle>, place: &Place) -> (Job, Reply) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"RIFF\xa4\x3e\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0").unwrap();
        file.write_all(b"\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\x80\x3e\0\0").unwrap();
        file.write_all(&[0; 16_000]).unwrap();
        let (reply, result) = oneshot::channel();
        let (progress, _) = watch::channel(Progress { stage: Stage::Waiting, fraction: 0.0 });
        let job = Job {
            file,
            name: "silence".to_owned(),
            options: Options::default(),
            audio_s: 1.0,
            deadline: Instant::now() + Duration::from_secs(600),
            is_hurried: false,
            cancel: Cancel::new(),
            chosen: Chosen { bundle: bundle.clone(), usual_for: Kind::Batch },
            place: place.clone(),
            known: None,
            span: Span::begin("queue"),
            progress,
            reply,
        };
        (job, result)
    }

    fn ended(queue: &BatchQueue, workers: Vec<JoinHandle<()>>) {
        queue.end();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    }

    fn answers(metrics: &Metrics, outcome: &str) -> usize {
        let line = format!("voiceflow_answers_total{{kind=\"batch\",arm=\"stable\",outcome=\"{outcome}\"}} ");
        let text = metrics.text().unwrap();
        text.lines().find_map(|found| found.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
    }

    #[test]
    fn who_goes_away_gives_the_place_back_at_once_and_the_others_keep_their_order() {
        let metrics = Arc::new(Metrics::new());
        let bundle = testing::bundle(&metrics);
        // All wait: nobody works yet.
        let queue = Arc::new(BatchQueue::new(1, 3, 0, metrics.clone()));
        let place: Place = Arc::new(());
        let submit = || {
            let (job, reply) = job(&bundle, &place);
            queue.submit(job).map(|ticket| (ticket, reply)).ok()
        };
        let (_first, mut first) = submit().unwrap();
        let (gone, lost) = submit().unwrap();
        let (_second, mut second) = submit().unwrap();
        assert!(submit().is_none() && queue.is_full() && metrics.batch_queue.get() == 3);
        let estimate = queue.wait_estimate();

        let kept = Arc::strong_count(&place);
        drop(gone);
        assert_eq!((queue.is_full(), metrics.batch_queue.get()), (false, 2));
        assert_eq!((Arc::strong_count(&place), answers(&metrics, REFUSED)), (kept - 1, 1));
        assert!(lost.blocking_recv().is_err());
        assert_eq!(queue.wait_estimate(), estimate);
        let (_third, third) = submit().unwrap();
        assert!(submit().is_none());

        let workers = queue.start().unwrap();
        assert!(third.blocking_recv().unwrap().is_ok());
        assert!([&mut first, &mut second].iter_mut().all(|reply| reply.try_recv().unwrap().is_ok()));
        ended(&queue, workers);
        assert_eq!((answers(&metrics, "done"), answers(&metrics, REFUSED)), (3, 1));
        // Of the models it says nothing.
        assert_eq!(bundle.record.recent().answers, 3);
    }

    #[test]
    fn each_recording_is_counted_once_whoever_goes_away_when() {
        let metrics = Arc::new(Metrics::new());
        let bundle = testing::bundle(&metrics);
        let queue = Arc::new(BatchQueue::new(2, 64, 0, metrics.clone()));
        let place: Place = Arc::new(());
        let workers = queue.start().unwrap();
        let (mut kept, mut count) = (Vec::new(), 0);
        for index in 0..60 {
            let (job, reply) = job(&bundle, &place);
            let ticket = queue.submit(job).map_err(|_| "full").unwrap();
            count += 1;
            if index % 3 == 0 {
                kept.push((ticket, reply));
            }
        }
        let served = kept.len();
        for (ticket, reply) in kept {
            assert!(reply.blocking_recv().unwrap().is_ok());
            drop(ticket);
        }
        ended(&queue, workers);
        let done = answers(&metrics, "done");
        assert_eq!(done + answers(&metrics, REFUSED), count);
        assert!(done >= served && metrics.batch_queue.get() == 0 && Arc::strong_count(&place) == 1);
    }
}
