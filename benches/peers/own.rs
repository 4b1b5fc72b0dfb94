//! What the engine takes by itself. A container with nobody who rolls it: its create, start, readiness and stop, each called
//! straight on the engine. And the answers that any look at a stack needs, with nothing done about them.

use crate::measure::Spread;
use evenkeel::{
    engine::{Containers, Images, connect, docker::DockerEngine},
    model::{
        container::{Attachment, ContainerSpec, RestartPolicy},
        desired::Desired,
        names::{ContainerName, NetworkName, StackName},
        units::{Millis, Timestamp},
    },
    observe::{Wanted, observe},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

/// Between two looks whether it is ready.
const PAUSE: Duration = Duration::from_millis(1);
/// It is ready long before.
const LOOKS_MAX: usize = 10_000;

/// Seconds from the call of its create to the end of its stop, without what lies between, on this network.
pub fn seconds(image: &str, network: &str) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let socket = connect::socket(|name| std::env::var(name).ok()).expect("DOCKER_HOST names a unix socket");
        let engine = DockerEngine::connect(&socket).await.expect("an engine");
        let local = engine.inspect_image(image).await.expect("asked").expect("the image is there");
        let spec = ContainerSpec {
            image: image.into(),
            restart: RestartPolicy::Always,
            networks: [(NetworkName::from(network), Attachment::default())].into_iter().collect(),
            ..ContainerSpec::default()
        };
        let begin = Instant::now();
        let name = ContainerName::new(format!("{network}-own"));
        let id = engine.create_container(&name, &local.id, &spec).await.expect("created").id;
        engine.start_container(&id).await.expect("started");
        let mut taken = begin.elapsed();
        let observed = engine.inspect_container(id.as_str()).await.expect("inspected");
        let address = observed.addresses.values().next().expect("an address").clone();
        let begin = Instant::now();
        assert!((0..LOOKS_MAX).any(|_| is_ready(&address) || rest()), "{image} is never ready");
        engine.stop_container(&id, Some(Millis::seconds(10))).await.expect("stopped");
        taken += begin.elapsed();
        engine.remove_container(&id, true, true).await.expect("removed");
        taken.as_secs_f64()
    })
}

/// Seconds until the engine has told all of a stack: the list of its containers, an inspect of each, and what it says of
/// itself.
pub fn look(stack: &str, runs: usize) -> Spread {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let socket = connect::socket(|name| std::env::var(name).ok()).expect("DOCKER_HOST names a unix socket");
        let engine = DockerEngine::connect(&socket).await.expect("an engine");
        let (stack, wanted) = (StackName::from(stack), Wanted::of([&Desired::empty(stack.into())]));
        let mut taken = Vec::new();
        for _ in 0..runs {
            let begin = Instant::now();
            let observed = observe(&engine, &stack, &wanted, Timestamp(0)).await.expect("observed");
            taken.push(begin.elapsed().as_secs_f64());
            assert!(!observed.containers.is_empty(), "there is something to look at");
        }
        Spread::of(taken)
    })
}

/// Has the engine do something without a body, and waits until it is done.
pub fn post(path: &str) {
    let socket = connect::socket(|name| std::env::var(name).ok()).expect("DOCKER_HOST names a unix socket");
    let mut stream = UnixStream::connect(socket).expect("an engine");
    let request = format!("POST {path} HTTP/1.1\r\nHost: own\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    assert!(answer.starts_with("HTTP/1.1 204"), "{path}: {answer}");
}

fn rest() -> bool {
    std::thread::sleep(PAUSE);
    false
}

fn is_ready(address: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect((address, 8080))?;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: own\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}
