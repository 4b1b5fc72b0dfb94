//! Manifests compared whole, and each held to the loader: as it is, and with every suggestion taken.

use super::{manifest::text, page::Suggestions, *};
use crate::{
    compose::{Memory, Overlay},
    load::{self, Sources},
    model::units::Millis,
};
use insta::assert_snapshot;
use std::path::PathBuf;

const FOLDER: &str = "/srv/shop";

/// A team's stack: a database and a cache, an application behind a proxy, a worker, a migration, a profile.
const SHOP: &str = r#"
services:
  db:
    image: postgres:16
    volumes: ["data:/var/lib/postgresql/data"]
    healthcheck: {test: ["CMD", "pg_isready"], interval: 10s, start_period: 10m}
    stop_grace_period: 60s
    restart: unless-stopped
  cache:
    image: redis:7
    restart: unless-stopped
  migrate:
    image: shop/api:1
    command: ["migrate"]
    depends_on: [db]
    restart: "no"
  api:
    image: shop/api:1
    environment: {DATABASE_URL: "postgres://core:hunter2hunter2@db/core", REGION: "${REGION:-eu}"}
    expose: ["4000", "9229"]
    depends_on: {db: {condition: service_healthy}, cache: {condition: service_started}, migrate: {condition: service_completed_successfully}}
    deploy: {resources: {limits: {memory: 256M}}}
    restart: unless-stopped
  worker:
    image: shop/api:1
    command: ["work"]
    depends_on: [api]
    restart: unless-stopped
  proxy:
    image: nginx:1
    ports: ["80:80", "443:443"]
    depends_on: [api]
    restart: unless-stopped
  debug:
    image: busybox
    profiles: [dev]
volumes: {data: }
"#;

/// What some Compose text declares.
pub(super) fn desired(compose: &str) -> Desired {
    let files = Memory::of([("/srv/shop/compose.yaml", compose)]);
    load_text(&skeleton(&"shop".into(), &Source::Files(compose_yaml())), &files)
}

fn compose_yaml() -> Files {
    Files { files: vec!["compose.yaml".into()], ..Files::default() }
}

fn load_text(text: &str, files: &Memory) -> Desired {
    let path = PathBuf::from(FOLDER).join("evenkeel.yaml");
    let overlay = Overlay { files: [(path.clone(), text.to_owned())].into(), below: files };
    let loaded = load::load(&Sources::new(FOLDER, [path], &overlay));
    loaded.unwrap_or_else(|error| panic!("{error}\n{text}")).0
}

fn draft<'a>(desired: &'a Desired, seen: Option<&'a Seen>) -> Draft<'a> {
    Draft {
        name: "shop".into(),
        source: Source::Files(compose_yaml()),
        desired,
        seen,
        disabled: BTreeMap::new(),
        from_shell: BTreeSet::new(),
    }
}

/// The manifest, after it was found to be valid with and without its suggestions, and to change nothing of what is declared.
fn written(compose: &str, draft: &Draft<'_>) -> String {
    let files = Memory::of([("/srv/shop/compose.yaml", compose)]);
    let manifest = manifest(draft);
    let loaded = load_text(&manifest, &files);
    for (name, service) in &loaded.services {
        let before = &draft.desired.services[name];
        assert_eq!((&service.container, service.replicas), (&before.container, before.replicas), "{name}");
    }
    load_text(&text(draft, Suggestions::Live), &files);
    assert!(!manifest.contains("hunter2"), "{manifest}");
    assert!(manifest.lines().all(|line| line.len() < 200), "{manifest}");
    manifest
}

fn seen(services: &[(&str, Use)]) -> Seen {
    let services = services.iter().map(|(name, seen)| (ServiceName::from(*name), seen.clone())).collect();
    Seen { memory: Bytes::mebi(7800), services }
}

fn running(mebi: u64, ports: &[(u16, bool)]) -> Use {
    Use {
        running: 1,
        memory: Some(Bytes::mebi(mebi)),
        ports: ports.iter().copied().collect(),
        image: Some(ImageConfig::default()),
        ..Use::default()
    }
}

#[test]
fn from_files_alone() {
    let desired = desired(SHOP);
    let mut draft = draft(&desired, None);
    draft.disabled = [("debug".to_owned(), vec!["dev".to_owned()])].into();
    draft.from_shell = ["REGION".to_owned()].into();
    assert_snapshot!("from_files_alone", written(SHOP, &draft));
}

#[test]
fn from_what_runs() {
    let desired = desired(SHOP);
    let seen = seen(&[
        ("db", Use { health: Health::Unhealthy, ..running(180, &[]) }),
        ("cache", Use { image: Some(exposing("6379/tcp")), ..running(9, &[(6379, true)]) }),
        ("api", running(230, &[(4000, true), (9229, false)])),
        ("worker", running(3000, &[])),
        ("proxy", running(12, &[(80, false), (443, false)])),
        ("migrate", Use::default()),
    ]);
    let mut draft = draft(&desired, Some(&seen));
    draft.source =
        Source::Files(Files { env_files: vec!["prod.env".into()], profiles: vec!["web".into()], ..compose_yaml() });
    let files = text(&draft, Suggestions::Commented);
    assert!(files.contains("  compose:\n    files: [compose.yaml]\n    envFiles: [prod.env]\n    profiles: [web]\n"));
    draft.source = Source::Files(compose_yaml());
    assert_snapshot!("from_what_runs", written(SHOP, &draft));
}

fn exposing(port: &str) -> ImageConfig {
    ImageConfig { expose: [port.to_owned()].into(), ..ImageConfig::default() }
}

#[test]
fn of_services_that_wait_for_nothing_those_with_data_are_suggested_first() {
    let compose = "services: {web: {image: x}, db: {image: x, volumes: ['data:/d']}}\nvolumes: {data: }";
    let desired = desired(compose);
    let text = written(compose, &draft(&desired, None));
    assert!(text.contains("  #     - [db]\n  #     - [web]\n"), "{text}");
    let alone = "services: {web: {image: x}}";
    let desired = super::tests::desired(alone);
    assert!(!written(alone, &draft(&desired, None)).contains("order"));
}

#[test]
fn a_check_of_the_image_is_known_where_the_image_is() {
    let compose = "services: {web: {image: x, ports: ['80']}}";
    let desired = desired(compose);
    let check = crate::model::container::Healthcheck {
        test: vec![crate::model::value::Value::plain("CMD")],
        interval: Some(Millis::seconds(5)),
        ..Default::default()
    };
    let image = ImageConfig { healthcheck: Some(check), ..ImageConfig::default() };
    let seen = seen(&[("web", Use { image: Some(image), ..running(1, &[(80, true)]) })]);
    let text = written(compose, &draft(&desired, Some(&seen)));
    assert!(text.contains("the health check of its image says so"), "{text}");
    assert!(!text.contains("tcp: {port"), "{text}");
}

#[test]
fn names_that_yaml_takes_for_something_else_are_quoted() {
    let compose = "services: {'1': {image: x}, 'true': {image: x, depends_on: ['1']}, 'null': {image: x}}";
    let desired = desired(compose);
    let text = written(compose, &draft(&desired, None));
    assert!(text.contains("    \"1\":\n") && text.contains("    \"true\":\n"), "{text}");
}
