//! Whose the interfaces are that a service manages: containers' tasks (ECS) and databases (RDS). Asked only where an
//! interface says that it belongs to such a service.

use super::asked::{about_each, noted};
use crate::{AwsError, RegionClient, call::pages};
use aws_sdk_ecs::types as ecs;
use aws_sdk_rds::types as rds;
use muster_network::topology::*;

/// Items of one page of the lists; AWS' maximum.
const PER_PAGE: i32 = 100;
/// Tasks of one DescribeTasks; AWS' maximum.
const TASKS_AT_ONCE: usize = 100;

impl RegionClient {
    pub(super) async fn add_owners(&self, topology: &mut Topology) {
        let describes = |of_service: fn(&str) -> bool| {
            topology.network_interfaces.iter().any(|interface| interface.description.as_deref().is_some_and(of_service))
        };
        let of_tasks = describes(|words| words.starts_with("arn:") && words.contains(":ecs:"));
        let of_databases = describes(|words| words == "RDSNetworkInterface");
        if of_tasks {
            self.add_tasks(topology).await;
        }
        if of_databases {
            let databases = self.db_instances().await;
            topology.db_instances = noted(topology, "rds:DescribeDBInstances", databases);
        }
    }

    async fn add_tasks(&self, topology: &mut Topology) {
        let clusters = pages("ecs:ListClusters", |token| {
            let request = self.inner.ecs.list_clusters().max_results(PER_PAGE).set_next_token(token);
            async move {
                let page = self.inner.caller.call("ecs:ListClusters", request.send()).await?;
                Ok((page.cluster_arns.unwrap_or_default(), page.next_token))
            }
        });
        let clusters = noted(topology, "ecs:ListClusters", clusters.await);
        let listed = about_each(topology, "ecs:ListTasks", clusters, |cluster| async move {
            let cluster = &cluster;
            let tasks = pages("ecs:ListTasks", |token| {
                let request = self.inner.ecs.list_tasks().cluster(cluster).max_results(PER_PAGE).set_next_token(token);
                async move {
                    let page = self.inner.caller.call("ecs:ListTasks", request.send()).await?;
                    Ok((page.task_arns.unwrap_or_default(), page.next_token))
                }
            });
            tasks.await.map(|tasks| (cluster.clone(), tasks))
        })
        .await;
        for (cluster, tasks) in listed {
            for tasks in tasks.chunks(TASKS_AT_ONCE) {
                let described = whole!(
                    self,
                    ecs,
                    "ecs:DescribeTasks",
                    describe_tasks,
                    tasks,
                    cluster(&cluster),
                    set_tasks(Some(tasks.to_vec()))
                );
                let described: Result<Vec<Task>, AwsError> = described.await;
                let described = noted(topology, "ecs:DescribeTasks", described);
                topology.tasks.extend(described);
            }
        }
    }

    async fn db_instances(&self) -> Result<Vec<DbInstance>, AwsError> {
        const ACTION: &str = "rds:DescribeDBInstances";
        super::asked::all(ACTION, |marker| {
            let request = self.inner.rds.describe_db_instances().max_records(PER_PAGE).set_marker(marker);
            async move {
                let page = self.inner.caller.call(ACTION, request.send()).await?;
                Ok((page.db_instances, page.marker))
            }
        })
        .await
    }
}

told! {
    ecs::Task => Task { task_arn, cluster_arn, last_status, launch_type, attachments }
    ecs::Attachment => TaskAttachment { id, attachment_type = r#type, status, details }
    ecs::KeyValuePair => TaskAttachmentDetail { name, value }
    rds::DbInstance => DbInstance {
        db_instance_identifier, db_instance_arn, endpoint, publicly_accessible, db_subnet_group, vpc_security_groups,
        availability_zone,
    }
    rds::Endpoint => DbEndpoint { address, port }
    rds::DbSubnetGroup => DbSubnetGroup { vpc_id, subnets }
    rds::Subnet => DbSubnet { subnet_identifier }
    rds::VpcSecurityGroupMembership => DbSecurityGroup { vpc_security_group_id }
}

words! { ecs::LaunchType }
