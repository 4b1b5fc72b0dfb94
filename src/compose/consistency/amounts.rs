//! Amounts that are written twice must agree.

use super::Checks;

impl Checks<'_> {
    /// `scale` and `deploy.replicas` agree, and one name is not for many containers.
    pub(super) fn replicas(&mut self) {
        let (name, service) = (self.name, self.service);
        let replicas = service.deploy.as_ref().and_then(|deploy| deploy.replicas);
        if let (Some(scale), Some(replicas)) = (service.scale, replicas)
            && scale != replicas
        {
            self.fault(&["scale"], "conflict", distinct(name, "scale", "deploy.replicas"));
        }
        for (field, amount) in [("scale", service.scale), ("deploy.replicas", replicas)] {
            if amount.is_some_and(|amount| amount < 0) {
                let path: Vec<&str> = field.split('.').collect();
                self.fault(&path, "range", format!("services.{name}.{field}: must be greater than or equal to 0"));
            }
        }
        if service.replicas() > 1 && !service.container_name.is_empty() {
            let field = if service.scale.is_some() { "scale" } else { "deploy.replicas" };
            let message =
                format!("services.{name}: can't set container_name and {field} as container name must be unique");
            self.fault(&["container_name"], "conflict", message);
        }
    }

    /// Limits of the service and of `deploy.resources` agree.
    pub(super) fn limits(&mut self) {
        let (name, service) = (self.name, self.service);
        let deploy = service.deploy.as_ref();
        let limits = deploy.and_then(|deploy| deploy.resources.limits.as_ref());
        let reservations = deploy.and_then(|deploy| deploy.resources.reservations.as_ref());
        #[expect(clippy::float_cmp, reason = "docker compose compares them so: both are read from text")]
        let pairs = [
            ("cpus", "limits.cpus", service.cpus != 0.0 && limits.is_some_and(|l| l.cpus.0 != service.cpus)),
            (
                "mem_limit",
                "limits.memory",
                service.mem_limit.0 != 0 && limits.is_some_and(|l| l.memory != service.mem_limit),
            ),
            (
                "mem_reservation",
                "reservations.memory",
                service.mem_reservation.0 != 0 && reservations.is_some_and(|r| r.memory != service.mem_reservation),
            ),
            (
                "pids_limit",
                "limits.pids",
                service.pids_limit != 0 && limits.is_some_and(|l| l.pids != service.pids_limit),
            ),
        ];
        for (field, other, _) in pairs.into_iter().filter(|(.., differ)| *differ) {
            self.fault(&[field], "conflict", distinct(name, field, &format!("deploy.resources.{other}")));
        }
    }

    /// What is synced has a place to go.
    pub(super) fn watched(&mut self) {
        let (name, service) = (self.name, self.service);
        for (index, watch) in service.develop.iter().flat_map(|develop| &develop.watch).enumerate() {
            if watch.target.is_empty() && !matches!(watch.action.0.as_str(), "rebuild" | "restart") {
                let message = format!("services.{name}.develop.watch: target is required for non-rebuild actions");
                self.fault(&["develop", "watch", &index.to_string()], "required", message);
            }
        }
    }
}

fn distinct(name: &str, one: &str, other: &str) -> String {
    format!("services.{name}: can't set distinct values on '{one}' and '{other}'")
}
