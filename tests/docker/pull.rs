//! Pulls from a registry of the test's own: a shell script in a container on the engine's loopback, where Docker speaks
//! plain HTTP. It lets in one login only.

use crate::support::{Place, script};
use evenkeel::{
    engine::{ErrorKind, Images},
    model::{
        container::{ContainerSpec, Mount, MountSource, NetworkMode},
        desired::Login,
        names::ImageReference,
        value::Value,
    },
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Base64 of it holds a `+` and a `/` in JSON, which only the alphabet for URLs may say.
const PASSWORD: &str = "right>>>???~~~";

/// Answers one request from the files beside it, to whoever knows the password.
const SERVE: &str = r#"#!/bin/sh
read -r method path rest
login=
while read -r line; do
  line=${line%"$(printf '\r')"}
  [ -n "$line" ] || break
  case $line in Authorization:*) login=${line#*: };; esac
done
answer() {
  printf 'HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %s\r\n%b\r\n' "$1" "$2" "$(wc -c <"$3")" "$4"
  [ "$method" = HEAD ] || cat "$3"
}
if [ "$login" != "Basic $(cat /r/login)" ]; then
  answer '401 Unauthorized' application/json /r/refused "WWW-Authenticate: Basic realm=\"test\"\r\n"
  exit
fi
case $path in
  /v2/) answer '200 OK' application/json /r/empty ;;
  */manifests/*) answer '200 OK' application/vnd.docker.distribution.manifest.v2+json /r/manifest ;;
  */blobs/*) answer '200 OK' application/octet-stream "/r/${path##*:}" ;;
esac
"#;

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Writes the registry's files: one image with one layer.
fn lay_out(folder: &Path) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut layer = tar::Builder::new(Vec::new());
    // No other run's layer, which the engine might have kept.
    let unique = folder.to_string_lossy();
    let mut header = tar::Header::new_gnu();
    header.set_size(unique.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    layer.append_data(&mut header, "hello", unique.as_bytes()).unwrap();
    let layer = layer.into_inner().unwrap();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {"Labels": {"unique": unique}},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", digest(&layer))]},
    })
    .to_string();
    let part = |kind: &str, bytes: &[u8]| {
        fs::write(folder.join(digest(bytes)), bytes).unwrap();
        serde_json::json!({"mediaType": kind, "size": bytes.len(), "digest": format!("sha256:{}", digest(bytes))})
    };
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": part("application/vnd.docker.container.image.v1+json", config.as_bytes()),
        "layers": [part("application/vnd.docker.image.rootfs.diff.tar.gzip", &layer)],
    });
    let files = [
        ("manifest", manifest.to_string()),
        ("login", STANDARD.encode(format!("us:{PASSWORD}"))),
        ("refused", r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#.to_owned()),
        ("empty", "{}".to_owned()),
        ("serve", SERVE.to_owned()),
    ];
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder.join("serve"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn a_pull_brings_the_image_to_whoever_has_the_login() {
    Place::with(|place| async move {
        let folder = tempfile::tempdir().unwrap();
        lay_out(folder.path());
        let port = 20_000 + std::process::id() % 20_000;
        let files = Mount { read_only: true, ..Mount::of(MountSource::Bind(folder.path().display().to_string())) };
        let registry = ContainerSpec {
            network_mode: NetworkMode::Host,
            mounts: [("/r".to_owned(), files)].into(),
            ..script(&format!("exec busybox nc -ll -p {port} -e /r/serve"))
        };
        place.run("registry", &registry).await;

        let reference = ImageReference::new(format!("127.0.0.1:{port}/us/core:1"));
        let login = |password: &str| Login { username: Value::plain("us"), password: Value::sensitive(password) };
        let steps = Arc::new(Mutex::new(Vec::new()));
        let told = steps.clone();
        let progress = move |done: u64, of: Option<u64>| told.lock().unwrap().push((done, of));
        // The registry may not listen yet.
        let deadline = Instant::now() + Duration::from_secs(30);
        let error = loop {
            let error = place.engine.pull_image(&reference, None, Some(&login("wrong")), &progress).await.unwrap_err();
            if error.kind != ErrorKind::Rejected || Instant::now() > deadline {
                break error;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert_eq!(error.kind, ErrorKind::Refused, "{error}");
        assert!(error.message.contains("login") && !error.message.contains("wrong"), "{error}");
        let error = place.engine.pull_image(&reference, None, None, &progress).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused, "{error}");

        place.engine.pull_image(&reference, None, Some(&login(PASSWORD)), &progress).await.unwrap();
        let image = place.engine.inspect_image(reference.as_str()).await.unwrap().unwrap();
        assert_eq!(image.tags, std::slice::from_ref(&reference));
        assert_eq!(image.digests.len(), 1);
        assert_eq!(image.config.labels["unique"], folder.path().to_string_lossy());
        // A layer this small may be there before the engine says how far it is.
        let steps = steps.lock().unwrap().clone();
        assert!(!steps.is_empty() && steps.iter().all(|(done, of)| of.is_none_or(|of| *done <= of)), "{steps:?}");
        place.engine.untag_image(&reference).await.unwrap();
        assert_eq!(place.engine.inspect_image(image.id.as_str()).await.unwrap(), None, "it went with its last tag");
    })
    .await;
}
