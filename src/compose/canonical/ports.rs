//! The short form of ports: `[[address:][host port or range]:]container port or range[/protocol]`.

use std::net::IpAddr;

use crate::compose::yaml::{Node, Origin, Position, Value};

/// One container port.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ShortPort {
    host_ip: String,
    published: String,
    target: u16,
    protocol: String,
}

/// All ports of a short form, in the order in which docker compose lists them (by the text `port/protocol`).
pub(super) fn parse(text: &str) -> Result<Vec<ShortPort>, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (address, host, container) = match parts.as_slice() {
        [container] => (String::new(), "", *container),
        [host, container] => (String::new(), *host, *container),
        [address @ .., host, container] => (address.join(":"), *host, *container),
        [] => return Err(no_port(text)),
    };
    let (container, protocol) = match container.split_once('/') {
        Some((_, rest)) if rest.contains('/') => {
            (container.split('/').next().unwrap_or_default(), rest.split('/').next().unwrap_or_default())
        }
        Some((container, protocol)) => (container, protocol),
        None => (container, ""),
    };
    let protocol = if protocol.is_empty() { "tcp" } else { protocol }.to_lowercase();
    let host_ip = host_address(&address)?;
    if container.is_empty() {
        return Err(no_port(text));
    }
    let (first, last) = range(container).ok_or_else(|| format!("invalid containerPort: {container}"))?;
    if first == 0 {
        return Err(format!("port {text} is missing a target port"));
    }
    let hosts =
        if host.is_empty() { None } else { Some(range(host).ok_or_else(|| format!("invalid hostPort: {host}"))?) };
    if let Some((low, high)) = hosts
        && last - first != high - low
        && first != last
    {
        return Err(format!("invalid ranges specified for container and host ports: {container} and {host}"));
    }
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("invalid proto: {protocol}"));
    }
    let published = |offset: u16| match hosts {
        None => String::new(),
        Some((low, high)) if first == last && low != high => format!("{low}-{high}"),
        Some((low, _)) => (low + offset).to_string(),
    };
    let port = |offset: u16| ShortPort {
        host_ip: host_ip.clone(),
        published: published(offset),
        target: first + offset,
        protocol: protocol.clone(),
    };
    let mut ports: Vec<ShortPort> = (0..=last - first).map(port).collect();
    ports.sort_by_cached_key(|port| format!("{}/{}", port.target, port.protocol));
    Ok(ports)
}

fn no_port(text: &str) -> String {
    format!("no port specified: {text}<empty>")
}

fn host_address(address: &str) -> Result<String, String> {
    let inner = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let bare = inner.unwrap_or(address);
    let valid = match (inner, bare.parse::<IpAddr>()) {
        _ if address.is_empty() => true,
        (None, Ok(ip)) => ip.is_ipv4(),
        (Some(_), parsed) => parsed.is_ok(),
        (None, Err(_)) => false,
    };
    if valid { Ok(bare.to_owned()) } else { Err(format!("invalid IP address: {address}")) }
}

/// `80` or `8000-8010`.
fn range(text: &str) -> Option<(u16, u16)> {
    let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten();
    match text.split_once('-') {
        None => number(text).map(|port| (port, port)),
        Some((low, high)) => Some((number(low)?, number(high)?)).filter(|(low, high)| low <= high),
    }
}

impl ShortPort {
    /// The long form.
    pub fn node(&self, at: &Position, origin: Origin) -> Node {
        let text = |value: &str| Node::string(value, at.clone()).from_origin(origin);
        let target = Node::new(Value::Int(i64::from(self.target)), at.clone());
        let mut node = Node::map(
            at,
            [("mode", Node::string("ingress", at.clone())), ("target", target), ("protocol", text(&self.protocol))],
        );
        for (key, value) in [("host_ip", &self.host_ip), ("published", &self.published)] {
            if !value.is_empty() {
                node.set(key, text(value));
            }
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn read(text: &str) -> Result<String, String> {
        let ports = parse(text)?;
        let line = |p: &super::ShortPort| format!("{}:{}>{}/{}", p.host_ip, p.published, p.target, p.protocol);
        Ok(ports.iter().map(line).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn short_forms() {
        for (text, expected) in [
            ("80", ":>80/tcp"),
            ("8080:80/udp", ":8080>80/udp"),
            ("127.0.0.1:8080:80", "127.0.0.1:8080>80/tcp"),
            ("127.0.0.1::80", "127.0.0.1:>80/tcp"),
            ("[::1]:8080:80", "::1:8080>80/tcp"),
            ("8000-8001:80-81", ":8000>80/tcp :8001>81/tcp"),
            ("8000-8010:80", ":8000-8010>80/tcp"),
            ("9-10", ":>10/tcp :>9/tcp"),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
        for text in ["", ":", "a", "80:a", "1-2:3-5", "5-3", "70000", "x:1:2", "80/icmp", "80:0", "::1:80:80"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
