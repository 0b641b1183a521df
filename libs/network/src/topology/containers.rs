//! Tasks of containers (ECS `DescribeTasks`).

aws! { "camelCase";
    /// ECS `Task`.
    pub struct Task {
        /// Its ARN.
        pub task_arn: String,
        /// The cluster's ARN.
        pub cluster_arn: Option<String>,
        /// `RUNNING`, `STOPPED`, …
        pub last_status: Option<String>,
        /// `EC2`, `FARGATE`, `EXTERNAL`, …
        pub launch_type: Option<String>,
        /// Its own interfaces, among others.
        pub attachments: Vec<TaskAttachment>,
    }

    /// ECS `Attachment`.
    pub struct TaskAttachment {
        /// A UUID.
        pub id: Option<String>,
        /// `ElasticNetworkInterface`, …
        #[serde(rename = "type")]
        pub attachment_type: Option<String>,
        /// `ATTACHED` when it works.
        pub status: Option<String>,
        /// `networkInterfaceId`, `privateIPv4Address`, `subnetId`, …
        pub details: Vec<TaskAttachmentDetail>,
    }

    /// ECS `KeyValuePair`.
    pub struct TaskAttachmentDetail {
        /// For example `networkInterfaceId`.
        pub name: Option<String>,
        /// For example `eni-…`.
        pub value: Option<String>,
    }
}

impl Task {
    /// `eni-…` of its own interfaces.
    pub fn interfaces(&self) -> impl Iterator<Item = &str> {
        let details = self.attachments.iter().flat_map(|attachment| &attachment.details);
        details
            .filter(|detail| detail.name.as_deref() == Some("networkInterfaceId"))
            .filter_map(|detail| detail.value.as_deref())
    }
}
