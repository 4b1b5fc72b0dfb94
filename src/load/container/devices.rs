//! Devices of the host and requests for devices such as GPUs.

use crate::{
    compose::project::{DeviceRequest as Asked, Service},
    model::container::{ContainerSpec, Device, DeviceRequest},
};

/// Adds the devices of a service to its spec.
pub fn add(service: &Service, spec: &mut ContainerSpec) {
    spec.device_cgroup_rules = service.device_cgroup_rules.iter().cloned().collect();
    let mut interfaces = Vec::new();
    for device in &service.devices {
        // `vendor/class=name` stands for what the container device interface knows under that name.
        if device.source == device.target && is_interface_name(&device.source) {
            interfaces.push(device.source.clone());
        } else {
            let entry = Device { source: device.source.clone(), permissions: device.permissions.clone() };
            spec.devices.insert(device.target.clone(), entry);
        }
    }
    if let Some(reserved) = service.deploy.as_ref().and_then(|deploy| deploy.resources.reservations.as_ref()) {
        spec.device_requests.extend(reserved.devices.iter().map(|asked| request(asked, None)));
    }
    if !interfaces.is_empty() {
        let request = DeviceRequest { driver: "cdi".to_owned(), device_ids: interfaces, ..DeviceRequest::default() };
        spec.device_requests.push(request);
    }
    spec.device_requests.extend(service.gpus.iter().map(|asked| request(asked, Some("gpu"))));
}

fn request(asked: &Asked, capability: Option<&str>) -> DeviceRequest {
    DeviceRequest {
        driver: asked.driver.clone(),
        count: asked.count.0,
        device_ids: asked.device_ids.clone(),
        capabilities: asked.capabilities.iter().cloned().chain(capability.map(str::to_owned)).collect(),
        options: super::texts(&asked.options.0),
    }
}

fn is_interface_name(text: &str) -> bool {
    let Some((vendor, rest)) = text.split_once('/') else {
        return false;
    };
    let Some((class, name)) = rest.split_once('=') else {
        return false;
    };
    let begins = |part: &str| part.starts_with(|first: char| first.is_ascii_alphabetic());
    begins(vendor) && begins(class) && !name.is_empty() && !name.contains('/')
}
