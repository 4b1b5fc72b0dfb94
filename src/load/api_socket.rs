//! `use_api_socket`: what docker compose makes of it at `up`, and `config` does not show. The service gets the engine's
//! socket, a Docker config with the logins of the user, and a variable that says where, unless it says that itself.

use crate::compose::{
    Fault, Project, Service, Text,
    project::{FileMount, FileObject, Mount, MountKind},
    yaml::Faults,
};

/// Where the socket is, on the host as in the container: Docker's own place, wherever this engine listens.
const SOCKET: &str = "/var/run/docker.sock";
/// Where clients find their Docker config.
const VARIABLE: &str = "DOCKER_CONFIG";
/// The folder of the config that is put in.
const FOLDER: &str = "/run/secrets/docker";
/// The file in it.
const LOGINS: &str = "/run/secrets/docker/config.json";
/// The key of that config in the project; the schema lets no file declare one of this name.
const KEY: &str = "#apisocket";

/// Gives the socket to the services that ask for it.
pub fn give(project: &mut Project, logins: fn() -> Result<String, String>, faults: &mut Faults) {
    let asking: Vec<String> =
        project.services.iter().filter(|(_, service)| service.use_api_socket).map(|(name, _)| name.clone()).collect();
    let Some(first) = asking.first() else { return };
    let content = logins().unwrap_or_else(|error| {
        let message = format!("the logins of Docker's config can't be read: {error}");
        faults.push(fault(project, first, message).code("logins"));
        String::new()
    });
    let content = Some(Text::literal(content));
    project.configs.insert(KEY.to_owned(), FileObject { name: KEY.to_owned(), content, ..FileObject::default() });
    for name in asking {
        let Some(service) = project.services.get_mut(&name) else { continue };
        let socket = Mount { kind: MountKind::Bind, source: SOCKET.into(), target: SOCKET.into(), ..Mount::default() };
        service.volumes.push(socket);
        service.environment.0.entry(VARIABLE.into()).or_insert_with(|| Some(Text::literal(FOLDER)));
        if service.read_only {
            let message = format!("no logins can be written into `{name}`, whose root is read-only");
            faults.push(fault(project, &name, message).code("content"));
        } else {
            let config = FileMount { source: KEY.into(), target: LOGINS.into(), ..FileMount::default() };
            service.configs.push(config);
        }
    }
}

fn fault(project: &Project, name: &str, message: String) -> Fault {
    let hint = format!("for the socket without logins mount it: `volumes: ['{SOCKET}:{SOCKET}']`");
    project.fault(&["services", name, "use_api_socket"], message).hint(hint)
}

/// Whether what is written at this place of the container are the logins, which may expire: others roll no service, as
/// with docker compose.
pub fn is_logins(service: &Service, target: &str) -> bool {
    target == LOGINS && service.configs.iter().any(|mount| mount.source == KEY)
}
