//! The answer as lines of JSON: how far the recording is, then the result or an error.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::{Stream, stream};
use serde_json::json;
use tokio::time::sleep;
use voiceflow::error::Stage;

use super::diarizations::{Answer, Pending};
use super::error::ApiError;
use crate::voices::Answered;

/// Shortest time from one line to the next.
const INTERVAL: Duration = Duration::from_millis(200);

/// The lines for a recording that is under way.
pub(super) fn lines(pending: Pending, answer: Answer) -> impl Stream<Item = Result<String, Infallible>> {
    stream::unfold(Some((pending, answer)), async |state| {
        let (mut pending, answer) = state?;
        let progress = pending.progress.clone();
        let next = tokio::select! {
            biased;
            result = pending.result() => Some(result),
            () = changed(progress) => None,
        };
        Some(match next {
            Some(result) => (Ok(last(&answer, result)), None),
            None => {
                let progress = *pending.progress.borrow_and_update();
                let (stage, fraction) = (name(progress.stage), progress.fraction);
                let line = json!({"type": "progress", "stage": stage, "fraction": fraction});
                (Ok(format!("{line}\n")), Some((pending, answer)))
            }
        })
    })
}

/// Waits until there is something new, and for a while in any case.
async fn changed(mut progress: tokio::sync::watch::Receiver<crate::work::batch::Progress>) {
    sleep(INTERVAL).await;
    if progress.changed().await.is_err() {
        // The worker is done: the result comes.
        std::future::pending().await
    }
}

/// The last line: the members of the result, or of the error, beside the type.
fn last(answer: &Answer, result: Result<Answered, ApiError>) -> String {
    let text = result.and_then(|answered| answer.render(&answered));
    match text {
        Ok((_, text)) => format!("{{\"type\":\"result\",\"result\":{text}}}\n"),
        Err(error) => {
            let mut line = json!(error.body());
            line["type"] = json!("error");
            format!("{line}\n")
        }
    }
}

/// The name of a stage.
fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting => "waiting",
        Stage::Analysis => "analysis",
        Stage::Clustering => "clustering",
        Stage::Reconstruction => "reconstruction",
        Stage::Loading => "loading",
    }
}
