//! Networks and volumes of the project, how a service is attached, and its ports.

use super::record::record;
use super::values::Pairs;

record! {
    /// A network of the project.
    pub struct Network {
        /// Its name on the engine.
        "name" => name: String,
        /// The driver; empty: the engine's default.
        "driver" => driver: String,
        /// Options of the driver.
        "driver_opts" => driver_opts: Pairs,
        /// Address management.
        "ipam" => ipam: Ipam,
        /// It exists already and is not ours.
        "external" => external: bool,
        /// Without a way out.
        "internal" => internal: bool,
        /// Containers from elsewhere may attach.
        "attachable" => attachable: bool,
        /// Labels.
        "labels" => labels: Pairs,
        /// IPv4.
        "enable_ipv4" => enable_ipv4: Option<bool>,
        /// IPv6.
        "enable_ipv6" => enable_ipv6: Option<bool>,
    }
}

record! {
    /// Address management of a network.
    pub struct Ipam {
        /// The driver.
        "driver" => driver: String,
        /// The pools.
        "config" => config: Vec<IpamPool>,
    }
}

record! {
    /// A pool of addresses.
    pub struct IpamPool {
        /// The subnet.
        "subnet" => subnet: String,
        /// The gateway.
        "gateway" => gateway: String,
        /// The range that containers get.
        "ip_range" => ip_range: String,
        /// Addresses of hosts.
        "aux_addresses" => aux_addresses: Pairs,
    }
}

record! {
    /// How a service is attached to a network.
    pub struct Attachment {
        /// Further names of the service.
        "aliases" => aliases: Vec<String>,
        /// Options of the driver.
        "driver_opts" => driver_opts: Pairs,
        /// Which network gives the default gateway.
        "gw_priority" => gw_priority: i64,
        /// The name of the interface.
        "interface_name" => interface_name: String,
        /// A static IPv4 address.
        "ipv4_address" => ipv4_address: String,
        /// A static IPv6 address.
        "ipv6_address" => ipv6_address: String,
        /// Link-local addresses.
        "link_local_ips" => link_local_ips: Vec<String>,
        /// The MAC address.
        "mac_address" => mac_address: String,
        /// Which network is connected first.
        "priority" => priority: i64,
    }
}

record! {
    /// A port of a service.
    pub struct Port {
        /// A name.
        "name" => name: String,
        /// `ingress` or `host`.
        "mode" => mode: String,
        /// The address on the host; empty: all.
        "host_ip" => host_ip: String,
        /// The port in the container.
        "target" => target: u32,
        /// The port on the host, or a range (`8000-8010`) to choose from; empty: any.
        "published" => published: String,
        /// `tcp`, `udp`, `sctp`.
        "protocol" => protocol: String,
        /// The protocol of the application.
        "app_protocol" => app_protocol: String,
    }
}

record! {
    /// A volume of the project.
    pub struct Volume {
        /// Its name on the engine.
        "name" => name: String,
        /// The driver; empty: the engine's default.
        "driver" => driver: String,
        /// Options of the driver.
        "driver_opts" => driver_opts: Pairs,
        /// It exists already and is not ours.
        "external" => external: bool,
        /// Labels.
        "labels" => labels: Pairs,
    }
}

record! {
    /// A language model of the project.
    pub struct Model {
        /// Its name.
        "name" => name: String,
        /// The model to run.
        "model" => model: String,
        /// Tokens of context.
        "context_size" => context_size: i64,
        /// Flags of the runtime.
        "runtime_flags" => runtime_flags: Vec<String>,
    }
}
