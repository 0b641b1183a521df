//! Load balancers (Elastic Load Balancing v2: application, network and gateway; and the classic ones).

aws! { "PascalCase";
    /// Elastic Load Balancing v2 `LoadBalancer`.
    pub struct LoadBalancer {
        /// Its ARN.
        pub load_balancer_arn: String,
        /// Its name.
        pub load_balancer_name: Option<String>,
        /// Its name in the DNS.
        #[serde(rename = "DNSName")]
        pub dns_name: Option<String>,
        /// `internet-facing` or `internal`.
        pub scheme: Option<String>,
        /// `vpc-…`.
        pub vpc_id: Option<String>,
        /// Whether it works.
        pub state: Option<LoadBalancerState>,
        /// `application`, `network` or `gateway`.
        #[serde(rename = "Type")]
        pub balancer_type: Option<String>,
        /// Where its nodes stand.
        pub availability_zones: Vec<LoadBalancerZone>,
        /// `sg-…`; a network load balancer may have none.
        pub security_groups: Vec<String>,
        /// `ipv4`, `dualstack` or `dualstack-without-public-ipv4`.
        pub ip_address_type: Option<String>,
    }

    /// Elastic Load Balancing v2 `LoadBalancerState`.
    pub struct LoadBalancerState {
        /// `active`, `provisioning`, `active_impaired` or `failed`.
        pub code: Option<String>,
    }

    /// Elastic Load Balancing v2 `AvailabilityZone`.
    pub struct LoadBalancerZone {
        /// For example `eu-central-1a`.
        pub zone_name: Option<String>,
        /// `subnet-…`.
        pub subnet_id: Option<String>,
    }

    /// Elastic Load Balancing v2 `Listener`.
    pub struct Listener {
        /// Its ARN.
        pub listener_arn: String,
        /// Its load balancer.
        pub load_balancer_arn: String,
        /// Where it listens; absent at a gateway load balancer, which takes everything.
        pub port: Option<i32>,
        /// `HTTP`, `HTTPS`, `TCP`, `TLS`, `UDP`, `TCP_UDP`, `QUIC`, `TCP_QUIC` or `GENEVE`.
        pub protocol: Option<String>,
        /// What is done where no rule matches.
        pub default_actions: Vec<ListenerAction>,
    }

    /// Elastic Load Balancing v2 `Rule`.
    pub struct ListenerRule {
        /// Its ARN: the listener's with one part more.
        pub rule_arn: String,
        /// `default` or a number.
        pub priority: Option<String>,
        /// What is done.
        pub actions: Vec<ListenerAction>,
        /// Whether it is the listener's default.
        pub is_default: bool,
    }

    /// Elastic Load Balancing v2 `Action`.
    pub struct ListenerAction {
        /// `forward`, `redirect`, `fixed-response`, `authenticate-oidc`, `authenticate-cognito`, `jwt-validation`.
        #[serde(rename = "Type")]
        pub action_type: String,
        /// The target group's ARN, when there is one.
        pub target_group_arn: Option<String>,
        /// The lowest comes first.
        pub order: Option<i32>,
        /// The target groups, when there are several.
        pub forward_config: Option<ForwardConfig>,
    }

    /// Elastic Load Balancing v2 `ForwardActionConfig`.
    pub struct ForwardConfig {
        /// They share what is forwarded.
        pub target_groups: Vec<WeightedTargetGroup>,
    }

    /// Elastic Load Balancing v2 `TargetGroupTuple`.
    pub struct WeightedTargetGroup {
        /// Its ARN.
        pub target_group_arn: Option<String>,
        /// Its share; 0 gets nothing.
        pub weight: Option<i32>,
    }

    /// Elastic Load Balancing v2 `TargetGroup`.
    pub struct TargetGroup {
        /// Its ARN.
        pub target_group_arn: String,
        /// Its name.
        pub target_group_name: Option<String>,
        /// `HTTP`, `HTTPS`, `TCP`, `TLS`, `UDP`, `TCP_UDP`, `GENEVE`, …; absent for a function.
        pub protocol: Option<String>,
        /// Port of targets that name none.
        pub port: Option<i32>,
        /// `vpc-…`; absent for a function.
        pub vpc_id: Option<String>,
        /// The load balancers that forward to it.
        pub load_balancer_arns: Vec<String>,
        /// `instance`, `ip`, `lambda` or `alb`.
        pub target_type: Option<String>,
        /// `ipv4` or `ipv6`.
        pub ip_address_type: Option<String>,
    }

    /// The answer of Elastic Load Balancing v2 `DescribeTargetGroupAttributes`, with the group that it is about.
    pub struct TargetGroupAttributes {
        /// The group's ARN.
        pub target_group_arn: String,
        /// Its attributes.
        pub attributes: Vec<TargetGroupAttribute>,
    }

    /// Elastic Load Balancing v2 `TargetGroupAttribute`.
    pub struct TargetGroupAttribute {
        /// For example `preserve_client_ip.enabled`.
        pub key: String,
        /// For example `true`.
        pub value: String,
    }

    /// The answer of Elastic Load Balancing v2 `DescribeTargetHealth`, with the group that it is about.
    pub struct TargetGroupHealth {
        /// The group's ARN.
        pub target_group_arn: String,
        /// Its targets.
        pub target_health_descriptions: Vec<TargetHealthDescription>,
    }

    /// Elastic Load Balancing v2 `TargetHealthDescription`.
    pub struct TargetHealthDescription {
        /// The target.
        pub target: TargetDescription,
        /// How it is.
        pub target_health: Option<TargetHealth>,
    }

    /// Elastic Load Balancing v2 `TargetDescription`.
    pub struct TargetDescription {
        /// `i-…`, an address, a function's or a load balancer's ARN.
        pub id: String,
        /// Its port, when not the group's.
        pub port: Option<i32>,
        /// `all`, or a zone.
        pub availability_zone: Option<String>,
    }

    /// Elastic Load Balancing v2 `TargetHealth`.
    pub struct TargetHealth {
        /// `healthy`, `unhealthy`, `initial`, `draining`, `unused`, `unavailable`, …
        pub state: Option<String>,
    }

    /// Classic Elastic Load Balancing `LoadBalancerDescription`.
    pub struct ClassicLoadBalancer {
        /// Its name, which is its id.
        pub load_balancer_name: String,
        /// Its name in the DNS.
        #[serde(rename = "DNSName")]
        pub dns_name: Option<String>,
        /// `internet-facing` or `internal`.
        pub scheme: Option<String>,
        /// `vpc-…`.
        #[serde(rename = "VPCId")]
        pub vpc_id: Option<String>,
        /// `subnet-…`.
        pub subnets: Vec<String>,
        /// `sg-…`.
        pub security_groups: Vec<String>,
        /// Whom it forwards to.
        pub instances: Vec<ClassicInstance>,
        /// Where it listens.
        pub listener_descriptions: Vec<ClassicListenerDescription>,
    }

    /// Classic Elastic Load Balancing `Instance`.
    pub struct ClassicInstance {
        /// `i-…`.
        pub instance_id: String,
    }

    /// Classic Elastic Load Balancing `ListenerDescription`.
    pub struct ClassicListenerDescription {
        /// The listener.
        pub listener: ClassicListener,
    }

    /// Classic Elastic Load Balancing `Listener`.
    pub struct ClassicListener {
        /// `HTTP`, `HTTPS`, `TCP` or `SSL`.
        pub protocol: String,
        /// Where it listens.
        pub load_balancer_port: i32,
        /// As the protocol, towards the instances.
        pub instance_protocol: Option<String>,
        /// Where it forwards to.
        pub instance_port: i32,
    }
}

impl ListenerRule {
    /// The ARN of its listener: `…:listener-rule/app/NAME/ID/LISTENER/RULE` belongs to `…:listener/app/NAME/ID/LISTENER`.
    pub fn listener_arn(&self) -> Option<String> {
        let (head, tail) = self.rule_arn.split_once(":listener-rule/")?;
        let (listener, _) = tail.rsplit_once('/')?;
        Some(format!("{head}:listener/{listener}"))
    }
}

impl ListenerAction {
    /// The target groups that it hands something to.
    pub fn forwards_to(&self) -> Vec<&str> {
        if self.action_type != "forward" {
            return Vec::new();
        }
        let shares = self.forward_config.iter().flat_map(|config| &config.target_groups);
        let shares: Vec<&str> = shares
            .filter(|group| group.weight != Some(0))
            .filter_map(|group| group.target_group_arn.as_deref())
            .collect();
        if self.forward_config.as_ref().is_some_and(|config| !config.target_groups.is_empty()) {
            return shares;
        }
        self.target_group_arn.as_deref().into_iter().collect()
    }
}
