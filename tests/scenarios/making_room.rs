//! A gate of a repair can take minutes: meanwhile something else is repaired all the same, and an apply gets the lock.

use crate::support::{Host, SHOP};
use evenkeel::{
    controllers::{
        Controller, EngineSince, Requeue, Wake,
        stack::{KeepOptions, Keeper},
    },
    engine::{Containers, clock::Clock, simulated::Foreign},
    home::{EventQuery, Holder},
    model::{event::EventKind, revision::Origin, units::Millis},
};

/// `web` needs half a minute to be ready, and `db` a little.
fn manifest() -> String {
    let probe = "\n      probes: {readiness: {http: {port: 80, path: /}}}";
    SHOP.replace("image: web:1", &format!("image: web:slow{probe}"))
        .replace("  volumes: {data: {}}", "    cache: {image: web:1, restart: always}\n  volumes: {data: {}}")
}

struct Kept<'h> {
    host: &'h Host,
    keeper: Keeper,
    wake: Wake,
}

impl Kept<'_> {
    async fn settled<'h>(host: &'h Host, manifest: &str) -> Kept<'h> {
        host.settle(manifest).await;
        let wake = Wake::default();
        let options = KeepOptions {
            origin: Origin { actor: "run".into(), ..Origin::default() },
            settle: Millis::minutes(2),
            manifest: None,
            wake: wake.clone(),
            engine_since: EngineSince::new(host.clock.now()),
        };
        Kept { host, keeper: Keeper::new(host.stack(), options), wake }
    }

    /// Makes the round that repairs what was removed; once it waits, this happens. Gives how long the round took.
    async fn round_with(&mut self, removed: &str, meanwhile: impl AsyncFnOnce()) -> Millis {
        remove(self.host, removed);
        let began = self.host.clock.now();
        let happening = async {
            while !self.host.engine.inspect_container(removed).await.is_ok_and(|there| there.state.is_running()) {
                self.host.clock.sleep(Millis(50)).await;
            }
            self.host.clock.sleep(Millis::seconds(2)).await;
            meanwhile().await;
            self.wake.up("something happened");
        };
        let (round, ()) = tokio::join!(self.keeper.reconcile(), happening);
        assert_eq!(round.unwrap(), Requeue::Now);
        self.host.clock.now().since(began)
    }
}

fn remove(host: &Host, name: &str) {
    host.engine.meddle(&Foreign::Remove(name.into(), false)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_else_is_gone_is_made_again_while_the_first_one_is_not_ready_yet() {
    let host = Host::new();
    let mut kept = Kept::settled(&host, &manifest()).await;
    let all = host.containers();
    let took = kept.round_with("shop-web-1", async || remove(&host, "shop-cache-1")).await;
    assert!(took < Millis::seconds(5), "{took}");
    let web = host.id_of("shop-web-1");
    kept.keeper.reconcile().await.unwrap();
    assert_eq!(host.containers(), all);
    assert_eq!(host.id_of("shop-web-1"), web, "what was made is left as it is");
    let facts = host.home.facts().unwrap();
    assert!(facts.failed.is_empty() && facts.restarts.is_empty(), "it is no failure: {facts:?}");
    let told = host.home.events(&EventQuery::default()).unwrap();
    let text = "web: started, and not waited for: something else is to be repaired";
    assert!(told.iter().any(|event| event.kind == EventKind::RolloutUnproven && event.text == text), "{told:#?}");
    host.assert_settled(&manifest()).await;
}

#[tokio::test(start_paused = true)]
async fn what_happens_to_itself_ends_no_round() {
    let host = Host::new();
    let mut kept = Kept::settled(&host, &manifest()).await;
    let took = kept.round_with("shop-web-1", async || {}).await;
    assert!(took >= Millis::seconds(30), "{took}");
}

#[tokio::test(start_paused = true)]
async fn what_needs_the_first_one_waits_for_it() {
    let host = Host::new();
    let needed = manifest().replace("cache: {image: web:1,", "cache: {image: web:1, depends_on: [web],");
    let mut kept = Kept::settled(&host, &needed).await;
    let all = host.containers();
    let took = kept.round_with("shop-web-1", async || remove(&host, "shop-cache-1")).await;
    assert!(took >= Millis::seconds(30), "{took}");
    kept.keeper.reconcile().await.unwrap();
    assert_eq!(host.containers(), all);
}

#[tokio::test(start_paused = true)]
async fn an_apply_that_waits_gets_the_lock() {
    let host = Host::new();
    let mut kept = Kept::settled(&host, &manifest()).await;
    let took = kept
        .round_with("shop-web-1", async || {
            let holder = Holder { actor: "ann".into(), doing: "apply".into() };
            drop(host.home.lock(holder, Millis::seconds(20), host.clock.as_ref()).await.unwrap());
        })
        .await;
    assert!(took < Millis::seconds(10), "{took}");
}
