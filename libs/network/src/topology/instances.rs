//! Instances (EC2 `DescribeInstances`).

aws! { "PascalCase";
    /// EC2 `Instance`. Its interfaces are described by `DescribeNetworkInterfaces`.
    pub struct Instance {
        /// `i-…`.
        pub instance_id: String,
        /// What it is doing.
        pub state: Option<InstanceState>,
        /// `vpc-…`; absent once it is terminated.
        pub vpc_id: Option<String>,
        /// `subnet-…` of its first interface.
        pub subnet_id: Option<String>,
    }

    /// EC2 `InstanceState`.
    pub struct InstanceState {
        /// `pending`, `running`, `stopping`, `stopped`, `shutting-down` or `terminated`.
        pub name: Option<String>,
    }

    /// EC2 `Reservation`, as which `DescribeInstances` gives instances.
    pub struct Reservation {
        /// Started together.
        pub instances: Vec<Instance>,
    }
}

impl Instance {
    /// Whether nothing of it is left. A stopped instance may start at any time, so it is judged.
    pub fn is_terminated(&self) -> bool {
        self.state.as_ref().and_then(|state| state.name.as_deref()) == Some("terminated")
    }
}
