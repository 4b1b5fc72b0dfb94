//! What a failed container left behind, whole: when, why, the last probe answers, how it ended, its log. The log is
//! written as the container wrote it, and was masked by who read it.

use super::{
    quantities::{age, moment},
    style::{Style, Text, Tone},
};
use crate::model::{evidence::Evidence, observed::ObservedContainer, units::Timestamp};

/// The evidence as text; its log ends it.
pub fn evidence_text(evidence: &Evidence, now: Timestamp, style: Style) -> String {
    let title = |text: &str| Text::toned(Tone::Strong, text);
    let mut lines = vec![
        title(evidence.service.as_str())
            .space(2)
            .plain(format!("{} ({})", evidence.name, evidence.container.short()))
            .space(2)
            .plain(format!("{}, {} ago", moment(evidence.at), age(evidence.at, now))),
        // The lines after the first repeat the log.
        Text::toned(Tone::Bad, evidence.error.lines().next().unwrap_or_default()),
    ];
    if let Some(state) = state(evidence) {
        lines.extend([Text::new(), title("state").space(2).plain(state)]);
    }
    if !evidence.answers.is_empty() {
        lines.extend([Text::new(), title("last answers")]);
        lines.extend(evidence.answers.iter().map(|answer| Text::new().space(2).plain(answer)));
    }
    lines.extend([Text::new(), title("log")]);
    let mut text: String = lines.iter().map(|line| line.paint(style) + "\n").collect();
    text.push_str(&evidence.log);
    if !evidence.log.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// `exited, exit code 137, out of memory, 3 restarts`.
fn state(evidence: &Evidence) -> Option<String> {
    let container: ObservedContainer = serde_json::from_value(evidence.inspect.clone()).ok()?;
    let state = container.state;
    let mut parts = vec![state.status.to_string()];
    if !state.is_running() {
        parts.push(format!("exit code {}", state.exit_code));
    }
    if state.oom_killed {
        parts.push("out of memory".to_owned());
    }
    if state.restart_count > 0 {
        parts.push(format!("{} restarts", state.restart_count));
    }
    if !state.error.is_empty() {
        parts.push(state.error);
    }
    Some(parts.join(", "))
}
