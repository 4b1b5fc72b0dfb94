//! Look-ups at a tiny registry on this machine's loopback.

use super::*;
use crate::model::{units::Timestamp, value::Value};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What a registry serves, and whom it lets in.
#[derive(Default)]
struct Served {
    /// Path → content type and body.
    paths: BTreeMap<String, (String, Vec<u8>)>,
    door: Door,
}

#[derive(Default, PartialEq)]
enum Door {
    #[default]
    Open,
    /// A token service that lets in `us` with `right`.
    Token,
    /// The same login at every request.
    Basic,
    /// Connections are accepted, and that is all.
    Silent,
}

struct Registry {
    host: String,
    /// The request lines so far.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Served {
    fn put(&mut self, path: &str, kind: &str, body: Vec<u8>) -> String {
        let digest = digest_of(&body);
        for name in [path, digest.as_str()] {
            for folder in ["manifests", "blobs"] {
                self.paths.insert(format!("/v2/us/core/{folder}/{name}"), (kind.to_owned(), body.clone()));
            }
        }
        digest
    }

    /// An image under a tag; gives the digests of its manifest and of its config.
    fn image(&mut self, tag: &str, config: &str) -> (String, String) {
        let id = self.put("config", "application/octet-stream", config.into());
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": config.len(), "digest": id},
            "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 1000, "digest": digest_of(b"layer")}],
        });
        (self.put(tag, MANIFEST, manifest.to_string().into()), id)
    }

    /// Several images under a tag; gives the digest of the list.
    fn index(&mut self, tag: &str, images: &[(&str, Option<&str>, &str)]) -> String {
        let entry = |(architecture, variant, digest): &(&str, Option<&str>, &str)| {
            let mut platform = serde_json::json!({"os": "linux", "architecture": architecture});
            if let Some(variant) = variant {
                platform["variant"] = (*variant).into();
            }
            serde_json::json!({"mediaType": MANIFEST, "size": 1, "digest": digest, "platform": platform})
        };
        let entries: Vec<_> = images.iter().map(entry).collect();
        let index = serde_json::json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
        self.put(tag, INDEX, index.to_string().into())
    }

    async fn open(self) -> Registry {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (served, log, own) = (Arc::new(self), asked.clone(), host.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, served.clone(), log.clone(), own.clone()));
            }
        });
        Registry { host, asked }
    }

    fn respond(&self, host: &str, path: &str, authorization: &str) -> (u16, String, Vec<u8>) {
        let basic = "Basic dXM6cmlnaHQ="; // us:right
        let refused = |challenge: String| {
            (401, challenge, br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#.to_vec())
        };
        match self.door {
            Door::Token if path.starts_with("/token") => {
                return match authorization == basic {
                    true => (200, String::new(), br#"{"token":"ticket"}"#.to_vec()),
                    false => (401, String::new(), b"incorrect username or password".to_vec()),
                };
            }
            Door::Token if authorization != "Bearer ticket" => {
                return refused(format!("WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"tiny\"\r\n"));
            }
            Door::Basic if authorization != basic => {
                return refused("WWW-Authenticate: Basic realm=\"tiny\"\r\n".to_owned());
            }
            _ if path == "/v2/" => return (200, String::new(), b"{}".to_vec()),
            _ => {}
        }
        match self.paths.get(path) {
            Some((kind, body)) => (200, format!("Content-Type: {kind}\r\n"), body.clone()),
            None => (
                404,
                String::new(),
                br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#.to_vec(),
            ),
        }
    }
}

async fn answer(mut stream: TcpStream, served: Arc<Served>, log: Arc<Mutex<Vec<String>>>, host: String) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let line = request.lines().next().unwrap().to_owned();
    let path = line.split(' ').nth(1).unwrap().to_owned();
    let authorization = request.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or_default();
    log.lock().unwrap().push(line);
    if served.door == Door::Silent {
        return std::future::pending().await;
    }
    let (status, headers, body) = served.respond(&host, &path, authorization);
    let head =
        format!("HTTP/1.1 {status} Told\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    drop(stream.write_all(&[head.as_bytes(), &body].concat()).await);
}

fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn config(version: &str) -> String {
    serde_json::json!({"architecture": "amd64", "os": "linux", "config": {
        "Env": [format!("VERSION={version}")], "Cmd": ["serve"], "Volumes": {"/data": {}}, "ExposedPorts": {"80/tcp": {}},
        "Healthcheck": {"Test": ["CMD", "check"], "Interval": 1_000_000_000},
    }})
    .to_string()
}

fn registries(logins: &[(&str, &str, &str)]) -> OciRegistries {
    let login = |(host, user, password): &(&str, &str, &str)| {
        let login = Login { username: Value::plain(*user), password: Value::sensitive(*password) };
        (host.to_string(), login)
    };
    OciRegistries::new(Arc::new(RegistryLogins::new(&logins.iter().map(login).collect()))).unwrap()
}

fn reference(registry: &Registry, name: &str) -> ImageReference {
    ImageReference::new(format!("{}/us/core{name}", registry.host))
}

#[tokio::test]
async fn a_tag_gives_digest_id_size_and_config() {
    let mut served = Served::default();
    let (digest, id) = served.image("1", &config("1"));
    let registry = served.open().await;
    let found = registries(&[]).look_up(&reference(&registry, ":1"), None).await.unwrap();
    assert_eq!((found.digest.as_str(), found.id.as_str()), (digest.as_str(), id.as_str()));
    assert_eq!(found.size, Bytes(1000 + config("1").len() as u64));
    assert_eq!(found.config.environment["VERSION"], "1");
    assert!(found.config.volumes.contains("/data") && found.config.healthcheck.is_some());
    let by_digest = registries(&[]).look_up(&reference(&registry, &format!("@{digest}")), None).await.unwrap();
    assert_eq!(by_digest, found);
    assert!(registry.asked.lock().unwrap().iter().all(|line| line.starts_with("GET ")), "reads only");
}

#[tokio::test]
async fn of_many_platforms_the_engines_is_taken() {
    let mut served = Served::default();
    let (amd, amd_id) = served.image("amd", &config("amd"));
    let (arm, arm_id) = served.image("arm", &config("arm"));
    let list = served.index("1", &[("arm64", Some("v8"), &arm), ("amd64", None, &amd)]);
    served.index("foreign", &[("s390x", None, &amd)]);
    let registry = served.open().await;
    let registries = registries(&[]);
    let look_up =
        async |name: &str, platform: &str| registries.look_up(&reference(&registry, name), Some(platform)).await;
    let found = look_up(":1", "linux/amd64").await.unwrap();
    assert_eq!((found.digest.as_str(), found.id.as_str()), (list.as_str(), amd_id.as_str()));
    for platform in ["linux/arm64", "linux/arm64/v8"] {
        assert_eq!(look_up(":1", platform).await.unwrap().id.as_str(), arm_id);
    }
    let error = look_up(":foreign", "linux/amd64").await.unwrap_err();
    assert!(matches!(&error, RegistryError::Platform { available, .. } if available == "linux/s390x"), "{error}");
}

#[tokio::test]
async fn a_login_opens_what_is_private() {
    for door in [Door::Token, Door::Basic] {
        let mut served = Served { door, ..Served::default() };
        let (digest, _) = served.image("1", &config("1"));
        let registry = served.open().await;
        let private = reference(&registry, ":1");
        let found = registries(&[(&registry.host, "us", "right")]).look_up(&private, None).await.unwrap();
        assert_eq!(found.digest, digest);
    }
}

#[tokio::test]
async fn a_wrong_or_missing_login_is_refused_and_says_which() {
    for door in [Door::Token, Door::Basic] {
        let mut served = Served { door, ..Served::default() };
        served.image("1", &config("1"));
        let registry = served.open().await;
        let private = reference(&registry, ":1");
        let error = registries(&[(&registry.host, "us", "expired")]).look_up(&private, None).await.unwrap_err();
        assert!(matches!(error, RegistryError::Refused { logged_in: true, .. }), "{error}");
        assert!(error.hint().contains(&registry.host) && !error.to_string().contains("expired"), "{error}");
        let error = registries(&[]).look_up(&private, None).await.unwrap_err();
        assert!(matches!(error, RegistryError::Refused { logged_in: false, .. }), "{error}");
        assert!(error.hint().contains("docker login"), "{}", error.hint());
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let registry = Served::default().open().await;
    let error = registries(&[]).look_up(&reference(&registry, ":2"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_unreachable() {
    // A port that was free a moment ago.
    let host = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let error = registries(&[]).look_up(&ImageReference::new(format!("{host}/us/core:1")), None).await.unwrap_err();
    assert!(matches!(&error, RegistryError::Unreachable { host: at, .. } if *at == host), "{error}");
}

#[tokio::test]
async fn a_registry_that_never_answers_is_given_up() {
    /// Whose every wait ends as soon as the registry was asked.
    struct Hurried(Arc<Mutex<Vec<String>>>);

    #[async_trait]
    impl Clock for Hurried {
        fn now(&self) -> Timestamp {
            Timestamp(0)
        }

        fn elapsed(&self) -> Millis {
            Millis(0)
        }

        fn set(&self) {}

        async fn sleep(&self, _: Millis) {
            while self.0.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        }
    }

    let registry = Served { door: Door::Silent, ..Served::default() }.open().await;
    let registries = OciRegistries { clock: Arc::new(Hurried(registry.asked.clone())), ..registries(&[]) };
    let error = registries.look_up(&reference(&registry, ":1"), None).await.unwrap_err();
    assert!(
        matches!(&error, RegistryError::Unreachable { message, .. } if message == "no answer within 1m"),
        "{error}"
    );
}

#[tokio::test]
async fn nonsense_is_an_answer_that_cannot_be_used() {
    let mut served = Served::default();
    served.put("text", "text/plain", b"<html>hello</html>".to_vec());
    served.image("config", "no json");
    let (digest, _) = served.image("1", &config("1"));
    // Another image under the digest of this one.
    let path = format!("/v2/us/core/manifests/{digest}");
    served.image("2", &config("2"));
    let other = served.paths["/v2/us/core/manifests/2"].clone();
    served.paths.insert(path, other);
    let registry = served.open().await;
    for name in [":text", ":config", &format!("@{digest}")] {
        let error = registries(&[]).look_up(&reference(&registry, name), None).await.unwrap_err();
        assert!(matches!(error, RegistryError::Answer { .. }), "{name}: {error}");
    }
    let error = registries(&[]).look_up(&ImageReference::new("Not A Reference"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::Reference { .. }), "{error}");
}

#[test]
fn what_lets_anybody_have_a_blob_is_not_told() {
    let text = "error sending request for url (https://bucket.example.com/blob?X-Amz-Signature=5ec4e7&b=1): why? not \n\n known";
    let told = "error sending request for url (https://bucket.example.com/blob?…): why? not known";
    assert_eq!(one_line(text), told);
}
