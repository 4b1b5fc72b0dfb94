//! What is told: the same story as `scripts/demo` on a real engine, chapter by chapter.

use crate::host::{Host, Told};
use evenkeel::{
    engine::simulated::Foreign,
    model::{
        container::Limits,
        units::{Bytes, Millis},
    },
};

const SIMULATED: &str = "SIMULATED: no Docker engine is used. Containers, their health and the time are made up; the manifest, the\n\
     decisions and the words are evenkeel's own.\n";

/// Tells the whole story.
///
/// # Errors
/// Something did not go as told: which, in words.
pub async fn tell(host: &Host) -> Told {
    host.say(SIMULATED);

    host.chapter("what the manifest examples/quickstart/evenkeel.yaml would change");
    host.diff("diff", 0).await?;

    host.chapter("a stack comes up");
    host.apply(None, 0).await?;

    host.chapter("an update rolls behind its health gate");
    host.watch_ready();
    host.apply(Some("evenkeel-test/web:2"), 0).await?;
    host.say_ready()?;

    host.chapter("a bad update never gets ready, and is taken back");
    host.watch_ready();
    host.apply(Some("evenkeel-test/web:broken"), 4).await?;
    host.say_ready()?;

    host.chapter("somebody changes what runs, by hand");
    let limits =
        Limits { memory: Some(Bytes::mebi(256)), memory_swap: Some(i64::from(512 << 20)), ..Limits::default() };
    host.meddle(
        "docker update --memory 256m --memory-swap 512m quickstart-web-1",
        &Foreign::Update("quickstart-web-1".into(), Box::new(limits), None),
    )?;
    host.meddle("docker rm --force quickstart-web-2", &Foreign::Remove("quickstart-web-2".into(), false))?;
    host.diff("diff --exit-code", 1).await?;
    host.apply(None, 0).await?;
    host.diff("diff --exit-code", 0).await?;

    host.chapter("how it stands");
    host.later(Millis::minutes(5)).await;
    host.status().await?;
    host.history()?;

    host.say(&format!(
        "\n{SIMULATED}The same on a real engine: `make demo` as root, or as a user in the group docker.\n"
    ));
    Ok(())
}
