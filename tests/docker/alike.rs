//! The containers, networks and volumes that evenkeel makes are those of docker compose: what inspect says of each is the
//! same, field by field, for a broad set of Compose files; and each of the two leaves alone what the other made.

use crate::{
    private::PrivateEngine,
    stack::{Place, Stack, setting},
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// A folder with everything that the Compose files name.
fn declared(file: &str, place: &Place) -> Stack {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/docker/alike");
    let mut stack = Stack::at(file, place.clone());
    let mut compose = String::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let (name, text) = (path.file_name().unwrap().to_string_lossy(), std::fs::read_to_string(&path).unwrap());
        if name == format!("{file}.yaml") {
            compose = text;
        } else if !name.ends_with(".yaml") {
            stack.write(&name, &text);
        }
    }
    stack.write("folder/inside", "x\n");
    stack.variables.insert("GIVEN".to_owned(), "from the environment".to_owned());
    let compose = compose.replace("DEVICE", &block_device());
    let compose = if file == "network" { compose.replace("SUBNET", &free_subnet(place)) } else { compose };
    stack.declare(&compose, "defaults: {rollout: {minReady: 100ms, deadline: 60s}}");
    stack
}

/// A number whose subnets no network of the engine has: an engine does not always let go of what a killed run left.
fn free_subnet(place: &Place) -> String {
    let networks = place.docker(&["network", "ls", "-q"]);
    let form = "{{range .IPAM.Config}}{{println .Subnet}}{{end}}";
    let taken =
        place.docker(&["network", "inspect", "-f", form].into_iter().chain(networks.lines()).collect::<Vec<_>>());
    let is_free = |number: &String| !taken.contains(&format!("10.214.{number}."));
    (0..=255).map(|number: u8| number.to_string()).find(is_free).expect("no subnet is free")
}

/// A block device of this machine.
fn block_device() -> String {
    let devices = std::fs::read_dir("/sys/block").unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = devices.map(|name| format!("/dev/{}", name.to_string_lossy())).collect();
    names.sort();
    names.into_iter().find(|name| std::path::Path::new(name).exists()).expect("no block device")
}

/// So many stacks are brought up for one comparison at most.
const COMPARISONS_MAX: usize = 3;

/// What inspect says of everything of a stack: kind and name → path → value.
type Seen = BTreeMap<String, BTreeMap<String, Json>>;

fn seen(stack: &Stack) -> Seen {
    let label = format!("label=com.docker.compose.project={}", stack.name);
    let mut seen = Seen::new();
    for (kind, list) in [
        ("container", ["ps", "-aq", "--no-trunc", "--filter", &label].as_slice()),
        ("network", &["network", "ls", "-q", "--filter", &label]),
        ("volume", &["volume", "ls", "-q", "--filter", &label]),
    ] {
        let ids = stack.docker(list);
        if ids.is_empty() {
            continue;
        }
        let words: Vec<&str> = ["inspect", "--type", kind].into_iter().chain(ids.lines()).collect();
        for thing in serde_json::from_str::<Vec<Json>>(&stack.docker(&words)).unwrap() {
            let name = format!("{kind} {}", thing["Name"].as_str().unwrap().trim_start_matches('/'));
            let mut fields = BTreeMap::new();
            flatten(String::new(), &settled(&thing), &mut fields);
            seen.insert(name, fields);
        }
    }
    seen
}

/// Leaves out what differs between any two containers that were made alike, and what means nothing:
///
/// - what the engine draws or measures: ids, times, process ids, paths with an id in them, addresses and ports that nobody
///   asked for, what health checks said;
/// - the own id among a container's names, the ids of those whose namespaces or mounts it uses, and docker compose's hash of
///   a service that has such an id in it;
/// - our own labels;
/// - the order of lists that are sets (docker compose writes several of them in the random order of its maps);
/// - what is null where the other is empty.
fn settled(thing: &Json) -> Json {
    let id = thing["Id"].as_str().unwrap_or_default().to_owned();
    let mut thing = thing.clone();
    let own = thing["HostConfig"]["NetworkMode"].as_str().unwrap_or_default().to_owned();
    for key in [
        "Id",
        "Created",
        "CreatedAt",
        "ResolvConfPath",
        "HostnamePath",
        "HostsPath",
        "LogPath",
        "GraphDriver",
        "Containers",
        "RestartCount",
        "ExecIDs",
    ] {
        remove(&mut thing, key);
    }
    if let Some(state) = thing.get_mut("State") {
        for key in ["Pid", "StartedAt", "FinishedAt", "Health"] {
            remove(state, key);
        }
    }
    if let Some(labels) = thing.pointer_mut("/Config/Labels").and_then(Json::as_object_mut) {
        labels.retain(|name, _| !name.starts_with("dev.evenkeel."));
    }
    if let Some(labels) = thing.get_mut("Labels").and_then(Json::as_object_mut) {
        labels.retain(|name, _| !name.starts_with("dev.evenkeel."));
    }
    if let Some(pools) = thing.pointer_mut("/IPAM/Config").and_then(Json::as_array_mut) {
        // A range that the engine chose.
        pools.retain(|pool| {
            !["172.", "192.168."].iter().any(|chosen| pool["Subnet"].as_str().unwrap().starts_with(chosen))
        });
    }
    if thing["Config"]["Hostname"].as_str().is_some_and(|name| id.starts_with(name)) || own.starts_with("container:") {
        remove(&mut thing["Config"], "Hostname");
    }
    let mut shares = false;
    for field in ["NetworkMode", "IpcMode", "PidMode"] {
        if let Some(mode) = thing.pointer_mut(&format!("/HostConfig/{field}"))
            && mode.as_str().is_some_and(|mode| mode.starts_with("container:"))
        {
            (*mode, shares) = (json!("container:ID"), true);
        }
    }
    if let Some(from) = thing.pointer_mut("/HostConfig/VolumesFrom").and_then(Json::as_array_mut) {
        from.iter_mut().for_each(|id| (*id, shares) = (json!("ID"), true));
    }
    if shares {
        remove(&mut thing["Config"]["Labels"], "com.docker.compose.config-hash");
    }
    if let Some(policy) = thing.pointer_mut("/HostConfig/RestartPolicy/Name")
        && policy == ""
    {
        *policy = json!("no");
    }
    if let Some(mounts) = thing.get_mut("Mounts").and_then(Json::as_array_mut) {
        for mount in mounts.iter_mut().filter(|mount| mount["Name"].as_str().is_some_and(|name| name.len() == 64)) {
            remove(mount, "Name");
            remove(mount, "Source");
        }
        mounts.iter_mut().filter(|mount| mount["Type"] == "image").for_each(|mount| remove(mount, "Source"));
    }
    if let Some(settings) = thing.get_mut("NetworkSettings") {
        for key in [
            "SandboxID",
            "SandboxKey",
            "EndpointID",
            "Gateway",
            "IPAddress",
            "MacAddress",
            "GlobalIPv6Address",
            "IPv6Gateway",
        ] {
            remove(settings, key);
        }
        if let Some(ports) = settings.get_mut("Ports").and_then(Json::as_object_mut) {
            // Which port of the host the engine chose.
            ports.values_mut().filter_map(Json::as_array_mut).flatten().for_each(|on| remove(on, "HostPort"));
        }
        for network in
            settings.get_mut("Networks").and_then(Json::as_object_mut).into_iter().flat_map(|all| all.values_mut())
        {
            for key in ["NetworkID", "EndpointID", "Gateway", "IPAddress", "MacAddress", "IPPrefixLen"] {
                remove(network, key);
            }
            for key in ["Aliases", "DNSNames"] {
                if let Some(names) = network.get_mut(key).and_then(Json::as_array_mut) {
                    names.retain(|name| !id.starts_with(name.as_str().unwrap()));
                }
            }
        }
    }
    if let Some(text) = thing.pointer_mut("/Config/Labels/com.docker.compose.depends_on") {
        let mut parts: Vec<&str> = text.as_str().unwrap().split(',').collect();
        parts.sort_unstable();
        *text = json!(parts.join(","));
    }
    thing
}

fn remove(thing: &mut Json, key: &str) {
    if let Some(fields) = thing.as_object_mut() {
        fields.remove(key);
    }
}

/// The fields by their paths. The items of a list of objects go by what they are mounted on or named.
fn flatten(path: String, value: &Json, into: &mut BTreeMap<String, Json>) {
    let objects = |items: &[Json]| !items.is_empty() && items.iter().all(Json::is_object);
    match value {
        Json::Null => {}
        Json::Object(fields) => fields.iter().for_each(|(key, value)| flatten(format!("{path}.{key}"), value, into)),
        Json::Array(items) if objects(items) => {
            for item in items {
                let named = ["Destination", "Target", "Name"].iter().find_map(|key| item[*key].as_str());
                let key = named.map_or_else(|| item.to_string(), str::to_owned);
                flatten(format!("{path}[{key}]"), item, into);
            }
        }
        Json::Array(items) if items.is_empty() => {}
        Json::Array(items) => {
            // Words have an order; nothing else that is a list of texts here has one.
            let ordered = ["Cmd", "Entrypoint", "Test", "Args", "Dns", "DnsSearch", "DnsOptions"];
            let mut items = items.clone();
            if !ordered.iter().any(|name| path.ends_with(&format!(".{name}"))) {
                items.sort_by_key(Json::to_string);
            }
            into.insert(path, Json::Array(items));
        }
        value => {
            into.insert(path, value.clone());
        }
    }
}

/// What two of them say differently.
fn differences(compose: &Seen, ours: &Seen) -> Vec<String> {
    let mut found = Vec::new();
    let nothing = BTreeMap::new();
    for name in compose.keys().chain(ours.keys()).collect::<std::collections::BTreeSet<_>>() {
        let (theirs, own) = (compose.get(name).unwrap_or(&nothing), ours.get(name).unwrap_or(&nothing));
        for path in theirs.keys().chain(own.keys()).collect::<std::collections::BTreeSet<_>>() {
            let shown = |value: Option<&Json>| value.map_or("nothing".to_owned(), Json::to_string);
            if theirs.get(path) != own.get(path) {
                found.push(format!(
                    "{name}{path}: {} by docker compose, {} by evenkeel",
                    shown(theirs.get(path)),
                    shown(own.get(path))
                ));
            }
        }
    }
    found
}

/// Brings the file up with each of the two, and holds what there is then against each other.
#[track_caller]
fn alike(file: &str) {
    alike_at(file, &Place::here());
}

/// Where the engine miscounts what is on a network, nothing is known of the two, and another stack is brought up.
#[track_caller]
fn alike_at(file: &str, place: &Place) {
    let compared = (0..COMPARISONS_MAX).any(|_| compared(file, place));
    assert!(compared, "the engine miscounts the endpoints of each network");
}

/// Whether the engine let the stack go in between, without which there is nothing to compare.
#[track_caller]
fn compared(file: &str, place: &Place) -> bool {
    let stack = declared(file, place);
    stack.compose(&["up", "-d"]).exits(0);
    settle(&stack);
    let theirs = seen(&stack);
    assert!(theirs.len() > 3, "{:?}", theirs.keys());
    let made = stack.ids();

    // What docker compose made is adopted as it is, and docker compose finds nothing to do about it afterwards.
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.ids(), made);
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    stack.compose(&["up", "-d"]).exits(0);
    assert_eq!(stack.ids(), made);
    let down = stack.evenkeel(&["down", "--yes", "--volumes"]);
    if stack.is_miscounted(&down) {
        return false;
    }
    down.exits(0);
    stack.compose(&["down", "-v", "-t", "0"]).exits(0);

    stack.evenkeel(&["apply"]).exits(0);
    settle(&stack);
    let differences = differences(&theirs, &seen(&stack));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let made = stack.ids();
    stack.compose(&["up", "-d"]).exits(0);
    assert_eq!(stack.ids(), made, "docker compose leaves what evenkeel made");
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    true
}

/// Waits until those that end have ended.
#[track_caller]
fn settle(stack: &Stack) {
    crate::stack::wait_until("nothing is on its way", || {
        let containers = stack.containers();
        let ends = |policy: &str| matches!(policy, "on-failure");
        containers.values().all(|one| one.state != "restarting" && (!ends(&one.policy) || one.state == "exited"))
    });
}

#[test]
fn processes_are_alike() {
    alike("process");
}

#[test]
fn resources_are_alike() {
    alike("resources");
}

#[test]
fn storage_is_alike() {
    alike("storage");
}

#[test]
fn networks_are_alike() {
    alike("network");
}

#[test]
fn security_and_namespaces_are_alike() {
    alike("security");
}

#[test]
fn on_a_newer_engine_they_are_alike_too() {
    let engine = PrivateEngine::start("alike", &["--dockerd", &setting("EVENKEEL_TEST_DOCKERD")]);
    for file in ["newer", "network", "storage", "security"] {
        alike_at(file, &engine.place());
    }
}

/// With logins of the config itself, of the store that keeps all others, and of a helper for one registry; another of the
/// helpers fails.
#[test]
fn who_may_use_the_engines_socket_gets_the_same_logins() {
    let mut stack = Stack::new("apisocket");
    stack.declare("services: {web: {image: evenkeel-test/web:1, restart: always, use_api_socket: true}}\n", "");
    let folder = stack.folder.path().to_owned();
    let helper = |name: &str, script: &str| {
        let file = format!("helpers/docker-credential-{name}");
        stack.write(&file, &format!("#!/bin/sh\nread -r server\n{script}\n"));
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.join(&file), executable).unwrap();
    };
    let answer = |user: &str| format!(r#"echo '{{"ServerURL":"'$server'","Username":"{user}","Secret":"s3cret"}}'"#);
    let list = r#"[ "$1" != list ] || { echo '{"kept.example":"us","token.example":"<token>"}'; exit; }"#;
    let of_token = format!("[ $server != token.example ] || {{ {}; exit; }}", answer("<token>"));
    helper("kept", &format!("{list}\n{of_token}\n{}", answer("us")));
    helper("one", &answer("one"));
    helper("fails", "exit 1");
    let path = format!("{}:{}", folder.join("helpers").display(), std::env::var("PATH").unwrap());
    stack.variables.insert("PATH".to_owned(), path);
    stack.variables.insert("DOCKER_CONFIG".to_owned(), folder.join("config").display().to_string());

    let web = format!("{}-web-1", stack.name);
    let given = || stack.docker(&["exec", &web, "cat", "/run/secrets/docker/config.json"]);
    let auths = r#""auths":{"plain.example:5000":{"auth":"dXM6czNjcmV0"}}"#;
    let helpers = r#""credHelpers":{"one.example":"one","fails.example":"fails"}"#;
    let mut last = String::new();
    for config in [format!("{{{auths}}}"), format!(r#"{{{auths},{helpers},"credsStore":"kept"}}"#)] {
        stack.write("config/config.json", &config);
        stack.compose(&["up", "-d", "--force-recreate"]).exits(0);
        let theirs = given();
        assert!(theirs.contains("auths") && theirs != last, "{theirs}");
        stack.compose(&["down", "-t", "0"]).exits(0);
        stack.evenkeel(&["apply"]).exits(0);
        assert_eq!(given(), theirs);
        stack.evenkeel(&["down", "--yes"]).exits(0);
        last = theirs;
    }

    // Other logins are for the next container: nothing that runs is replaced for them, by neither of the two.
    stack.evenkeel(&["apply"]).exits(0);
    let made = stack.ids();
    stack.write("config/config.json", "{}");
    stack.evenkeel(&["apply"]).exits(0);
    stack.compose(&["up", "-d"]).exits(0);
    assert_eq!((stack.ids(), given()), (made, last));
    stack.write("config/config.json", r#"{"credsStore":"missing"}"#);
    stack.evenkeel(&["diff"]).exits(2).says("`docker-credential-missing` can't be started").says("volumes:");
}

/// An older engine would mount something else, so nothing is begun.
#[test]
fn what_this_engine_does_not_know_of_a_mount_is_refused_by_name() {
    let stack = Stack::new("tooold");
    let compose = |mount: &str| {
        format!(
            "services: {{web: {{image: evenkeel-test/web:1, restart: always, volumes: [{{{mount}}}]}}}}\nvolumes: {{data: {{}}}}\n"
        )
    };
    for (mount, what) in [
        ("type: image, source: evenkeel-test/web:1, target: /image", "the files of an image"),
        ("type: volume, source: data, target: /data, volume: {subpath: a}", "the folder of a volume"),
        (
            "type: bind, source: /etc, target: /etc2, read_only: true, bind: {recursive: readonly}",
            "read-only mounts below it",
        ),
    ] {
        stack.declare(&compose(mount), "");
        stack.evenkeel(&["apply"]).exits(3).says("engine-too-old").says(what);
        assert!(stack.ids().is_empty());
    }
}
