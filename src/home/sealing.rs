//! Sealing: XChaCha20-Poly1305 with a key that lies in the home, for its owner alone. A database or a backup of it
//! without the key tells nothing; what was changed, or moved to another place, does not unseal.

use super::error::HomeError;
use crate::model::{
    content::{Content, Permissions},
    names::{DesiredHash, ServiceName, StackName},
};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// The first byte of all that is sealed: how it was.
const FORM: u8 = 1;

/// The key of a state directory.
pub(super) struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl Key {
    /// A key that protects nothing, for homes that live in memory.
    pub(super) fn of_memory() -> Key {
        Key(Zeroizing::new([0; KEY_BYTES]))
    }

    /// The key in this file; `None` when there is no such file. One that others can read is refused.
    pub(super) fn read(path: &Path) -> Result<Option<Key>, HomeError> {
        let mode = match fs::metadata(path) {
            Ok(metadata) => metadata.permissions().mode() & 0o7777,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(HomeError::files(path, error)),
        };
        if mode & 0o077 != 0 {
            return Err(HomeError::KeyExposed { path: path.display().to_string(), mode });
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(|source| match source.kind() {
            io::ErrorKind::InvalidData => HomeError::KeyDamaged { path: path.display().to_string() },
            _ => HomeError::files(path, source),
        })?);
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        hex::decode_to_slice(text.trim(), key.as_mut_slice())
            .map_err(|_| HomeError::KeyDamaged { path: path.display().to_string() })?;
        Ok(Some(Key(key)))
    }

    /// The key in this file; a new one where there is none. Of two that make one at once, both get the same.
    pub(super) fn read_or_create(path: &Path) -> Result<Key, HomeError> {
        if let Some(key) = Key::read(path)? {
            return Ok(key);
        }
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        fill_random(key.as_mut_slice())?;
        let mut suffix = [0; 8];
        fill_random(&mut suffix)?;
        let draft = super::paths::with_ending(path, &format!(".{}", hex::encode(suffix)));
        let written = write_whole(&draft, &Zeroizing::new(hex::encode(key.as_slice()))).and_then(|()| {
            // A link, unlike a rename, never takes the place of a key that another process put there meanwhile.
            match fs::hard_link(&draft, path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => Ok(()),
            }
        });
        let removed = fs::remove_file(&draft);
        // What is sealed with it is not to outlive it in a power cut.
        let kept = path.parent().map_or(Ok(()), |folder| fs::File::open(folder).and_then(|folder| folder.sync_all()));
        written.and(removed).and(kept).map_err(|source| HomeError::writing(path, source))?;
        Key::read(path)?.ok_or_else(|| HomeError::KeyMissing { path: path.display().to_string() })
    }

    fn derive(&self, purpose: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        Zeroizing::new(keyed_hash(self.0.as_slice(), &[purpose.as_bytes()]))
    }
}

fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn fill_random(bytes: &mut [u8]) -> Result<(), HomeError> {
    getrandom::fill(bytes).map_err(|error| HomeError::Random { reason: error.to_string() })
}

/// HMAC-SHA-256 of parts that are told apart by their length.
fn keyed_hash(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length, so the error that the constructor's type allows does not exist.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Seals and unseals for one stack.
pub(super) struct Sealer {
    cipher: XChaCha20Poly1305,
    fingerprints: Zeroizing<[u8; KEY_BYTES]>,
    stack: StackName,
    /// For messages.
    path: String,
}

impl Sealer {
    pub(super) fn new(key: &Key, stack: &StackName, path: &Path) -> Sealer {
        Sealer {
            cipher: XChaCha20Poly1305::new(&chacha20poly1305::Key::from(*key.derive("seal"))),
            fingerprints: key.derive("fingerprint"),
            stack: stack.clone(),
            path: path.display().to_string(),
        }
    }

    /// Seals something as JSON. `what` says what it is and where it belongs (`revision 14`): it unseals only there.
    pub(super) fn seal(&self, what: &str, plain: &impl Serialize) -> Result<Vec<u8>, HomeError> {
        let json = serde_json::to_vec(plain)
            .map(Zeroizing::new)
            .map_err(|source| HomeError::Unwritable { what: what.to_owned(), source })?;
        let mut sealed = vec![FORM];
        let mut nonce = [0; NONCE_BYTES];
        fill_random(&mut nonce)?;
        sealed.extend_from_slice(&nonce);
        let place = self.place(what);
        let payload = Payload { msg: json.as_slice(), aad: place.as_bytes() };
        // Only a text of more than 256 GiB does not seal.
        let body = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| self.tampered(what))?;
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Unseals what was sealed as `what`.
    pub(super) fn unseal<T: DeserializeOwned>(&self, what: &str, sealed: &[u8]) -> Result<T, HomeError> {
        let (nonce, body) = sealed
            .split_first()
            .filter(|(form, _)| **form == FORM)
            .and_then(|(_, rest)| rest.split_first_chunk::<NONCE_BYTES>())
            .ok_or_else(|| self.tampered(what))?;
        let place = self.place(what);
        let json = self
            .cipher
            .decrypt(&XNonce::from(*nonce), Payload { msg: body, aad: place.as_bytes() })
            .map(Zeroizing::new)
            .map_err(|_| self.tampered(what))?;
        serde_json::from_slice(&json).map_err(|source| HomeError::Unreadable { what: what.to_owned(), source })
    }

    /// A keyed hash of a service's desired hash: tells equal ones, and nothing else.
    pub(super) fn fingerprint(&self, service: &ServiceName, hash: &DesiredHash) -> String {
        let parts = [self.stack.as_str(), service.as_str(), hash.as_str()];
        hex::encode(keyed_hash(self.fingerprints.as_slice(), &parts.map(str::as_bytes)))
    }

    /// The name of a copy of a mounted file: another for another content, or for others who may use it.
    pub(super) fn copy_name(&self, content: &Content) -> String {
        let Permissions { mode, uid, gid } = content.permissions.unwrap_or(Permissions { mode: 0, uid: 0, gid: 0 });
        let permissions = format!("{mode:o} {uid} {gid}");
        let parts = ["copy", self.stack.as_str(), &content.sha256, &permissions];
        let name = keyed_hash(self.fingerprints.as_slice(), &parts.map(str::as_bytes));
        hex::encode(&name[..16])
    }

    /// Tells whether a database was sealed with this key, without telling the key.
    pub(super) fn mark(&self) -> String {
        hex::encode(keyed_hash(self.fingerprints.as_slice(), &[b"mark"]))
    }

    fn place(&self, what: &str) -> String {
        format!("evenkeel\0{}\0{what}", self.stack)
    }

    fn tampered(&self, what: &str) -> HomeError {
        HomeError::Tampered { path: self.path.clone(), what: what.to_owned() }
    }
}
