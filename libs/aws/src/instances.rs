//! EC2 instances: EC2's own words, SSM's word on the agent, and the stamps of SSM's inventories.

use crate::{
    AwsError, Listing, RegionClient,
    call::pages,
    client::{or_missing, tags, timestamp},
};
use aws_sdk_ec2::types::Instance;
use aws_sdk_ssm::types::{InstanceInformation, InventoryResultEntity, ResultAttribute};
use muster_domain::{InstanceDetails, InventoryStamp, Resource, ResourceDetails, ResourceId};
use std::collections::{BTreeMap, HashMap};

/// The inventory type of SSM's own agent plugin: names and versions, without source packages.
pub const APPLICATION_INVENTORY: &str = "AWS:Application";
/// The inventory type that our SSM document makes from the package manager's own list.
pub const PACKAGES_INVENTORY: &str = "Custom:MusterPackages";

/// Instances of one page of DescribeInstances; AWS' maximum.
const INSTANCES_PER_PAGE: i32 = 1000;
/// Items of one page of SSM's calls; AWS' maximum.
const SSM_PER_PAGE: i32 = 50;
/// Entries of one inventory at most: SSM takes 1 MB per call and type, some ten thousand entries.
const ENTRIES_MAX: usize = 200_000;

/// SSM's code for an inventory type that it does not know (SSM API, ListInventoryEntries and GetInventory, errors).
const UNKNOWN_TYPE_CODE: &str = "InvalidTypeNameException";

/// Stamps by instance and inventory type.
type Stamps = HashMap<String, BTreeMap<String, InventoryStamp>>;

impl RegionClient {
    /// All instances but terminated ones and those shutting down. What SSM does not tell stands in `missing`:
    /// then `ssm_ping_status`, `platform` or `inventory` are unknown, not absent.
    pub async fn instances(&self) -> Result<Listing, AwsError> {
        let (instances, managed, application, packages) = tokio::join!(
            self.described_instances(),
            self.managed_instances(),
            self.inventory_stamps(APPLICATION_INVENTORY),
            self.inventory_stamps(PACKAGES_INVENTORY),
        );
        let instances = instances?;
        let mut missing = Vec::new();
        let managed: HashMap<String, InstanceInformation> =
            or_missing(managed, "which instances SSM manages, and their platforms", &mut missing);
        let mut stamps: Stamps = HashMap::new();
        for (name, answer) in [(APPLICATION_INVENTORY, application), (PACKAGES_INVENTORY, packages)] {
            for (id, stamp) in or_missing(answer, &format!("the state of {name}"), &mut missing) {
                stamps.entry(id).or_default().insert(name.to_owned(), stamp);
            }
        }
        let resources = instances
            .into_iter()
            .filter_map(|instance| self.instance_resource(&instance, &managed, &mut stamps))
            .collect();
        Ok(Listing::new(resources, missing, true))
    }

    pub(crate) async fn described_instances(&self) -> Result<Vec<Instance>, AwsError> {
        const ACTION: &str = "ec2:DescribeInstances";
        let reservations = pages(ACTION, |token| {
            let request = self.inner.ec2.describe_instances().max_results(INSTANCES_PER_PAGE).set_next_token(token);
            async move {
                let page = self.inner.caller.call(ACTION, request.send()).await?;
                Ok((page.reservations.unwrap_or_default(), page.next_token))
            }
        })
        .await?;
        Ok(reservations.into_iter().flat_map(|reservation| reservation.instances.unwrap_or_default()).collect())
    }

    async fn managed_instances(&self) -> Result<HashMap<String, InstanceInformation>, AwsError> {
        const ACTION: &str = "ssm:DescribeInstanceInformation";
        let list = pages(ACTION, |token| {
            let request =
                self.inner.ssm.describe_instance_information().max_results(SSM_PER_PAGE).set_next_token(token);
            async move {
                let page = self.inner.caller.call(ACTION, request.send()).await?;
                Ok((page.instance_information_list.unwrap_or_default(), page.next_token))
            }
        })
        .await?;
        Ok(list.into_iter().filter_map(|information| Some((information.instance_id.clone()?, information))).collect())
    }

    /// The newest stamp of one inventory type of every instance that has it.
    async fn inventory_stamps(&self, type_name: &str) -> Result<Vec<(String, InventoryStamp)>, AwsError> {
        const ACTION: &str = "ssm:GetInventory";
        let attribute =
            ResultAttribute::builder().type_name(type_name).build().expect("the type's name, the one field, is set");
        let attribute = &attribute;
        let stamps = pages(ACTION, |token| {
            let request = self
                .inner
                .ssm
                .get_inventory()
                .result_attributes(attribute.clone())
                .max_results(SSM_PER_PAGE)
                .set_next_token(token);
            async move {
                let page = self.inner.caller.call(ACTION, request.send()).await?;
                let stamps =
                    page.entities.unwrap_or_default().into_iter().filter_map(|entity| stamp(entity, type_name));
                Ok((stamps.collect(), page.next_token))
            }
        })
        .await;
        none_of_unknown_type(stamps)
    }

    fn instance_resource(
        &self,
        instance: &Instance,
        managed: &HashMap<String, InstanceInformation>,
        stamps: &mut Stamps,
    ) -> Option<Resource> {
        let id = instance.instance_id()?;
        let mut details = details(instance);
        if matches!(details.state.as_str(), "terminated" | "shutting-down") {
            return None;
        }
        if let Some(information) = managed.get(id) {
            details.ssm_ping_status = information.ping_status().map(|status| status.as_str().to_owned());
            details.platform = platform(information);
        }
        details.inventory = stamps.remove(id).unwrap_or_default();
        Some(Resource {
            id: ResourceId::new(id),
            account: self.inner.account.clone(),
            region: self.inner.region.clone(),
            tags: tags(instance.tags().iter().map(|tag| (tag.key(), tag.value()))),
            details: ResourceDetails::Instance(details),
        })
    }

    /// The entries of one SSM inventory type of one instance, each a map of its attributes; empty when SSM has none.
    pub async fn inventory_entries(
        &self,
        instance_id: &str,
        type_name: &str,
    ) -> Result<Vec<BTreeMap<String, String>>, AwsError> {
        const ACTION: &str = "ssm:ListInventoryEntries";
        let mut pages_asked = 0;
        let entries = pages(ACTION, |token| {
            pages_asked += 1;
            let too_many = pages_asked > ENTRIES_MAX / SSM_PER_PAGE as usize;
            let request = self
                .inner
                .ssm
                .list_inventory_entries()
                .instance_id(instance_id)
                .type_name(type_name)
                .max_results(SSM_PER_PAGE)
                .set_next_token(token);
            async move {
                if too_many {
                    return Err(AwsError::other(ACTION, format!("more than {ENTRIES_MAX} entries")));
                }
                let page = self.inner.caller.call(ACTION, request.send()).await?;
                let entries = page.entries.unwrap_or_default().into_iter().map(|entry| entry.into_iter().collect());
                Ok((entries.collect(), page.next_token))
            }
        })
        .await;
        none_of_unknown_type(entries)
    }
}

/// A custom type that no instance has sent yet is unknown to SSM: then there are no items of it, which is an answer.
fn none_of_unknown_type<T>(answer: Result<Vec<T>, AwsError>) -> Result<Vec<T>, AwsError> {
    match answer {
        Err(AwsError::NotFound { what, .. }) if what.starts_with(UNKNOWN_TYPE_CODE) => Ok(Vec::new()),
        answer => answer,
    }
}

fn details(instance: &Instance) -> InstanceDetails {
    let interfaces = instance.network_interfaces();
    let public = interfaces.iter().filter_map(|interface| interface.association()?.public_ip());
    let private = interfaces.iter().flat_map(|interface| {
        let all = interface.private_ip_addresses().iter().filter_map(|address| address.private_ip_address());
        interface.private_ip_address().into_iter().chain(all)
    });
    let ipv6 =
        interfaces.iter().flat_map(|interface| interface.ipv6_addresses()).filter_map(|item| item.ipv6_address());
    InstanceDetails {
        instance_type: instance.instance_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        image_id: instance.image_id().unwrap_or_default().to_owned(),
        state: instance.state().and_then(|state| state.name()).map(|name| name.as_str().to_owned()).unwrap_or_default(),
        architecture: instance.architecture().map(|name| name.as_str().to_owned()).unwrap_or_default(),
        ipv4_addresses: distinct(
            instance.public_ip_address().into_iter().chain(public).chain(instance.private_ip_address()).chain(private),
        ),
        ipv6_addresses: distinct(ipv6.chain(instance.ipv6_address())),
        network_interfaces: distinct(interfaces.iter().filter_map(|interface| interface.network_interface_id())),
        key_name: instance.key_name().map(str::to_owned),
        iam_instance_profile_arn: instance.iam_instance_profile().and_then(|profile| profile.arn()).map(str::to_owned),
        vpc_id: instance.vpc_id().filter(|id| !id.is_empty()).map(str::to_owned),
        subnet_id: instance.subnet_id().filter(|id| !id.is_empty()).map(str::to_owned),
        launched_at: timestamp(instance.launch_time()),
        ..InstanceDetails::default()
    }
}

/// In their order, without blanks and doubles.
fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for text in texts.filter(|text| !text.is_empty()) {
        if !kept.iter().any(|earlier| earlier == text) {
            kept.push(text.to_owned());
        }
    }
    kept
}

/// `Debian GNU/Linux 12`; `None` before the agent has told it.
fn platform(information: &InstanceInformation) -> Option<String> {
    let words = [information.platform_name(), information.platform_version()];
    let text = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// When and with which content one instance's inventory was taken; `None` for one that was never taken.
fn stamp(entity: InventoryResultEntity, type_name: &str) -> Option<(String, InventoryStamp)> {
    let mut data = entity.data?;
    let item = data.remove(type_name).or_else(|| data.into_values().find(|item| item.type_name == type_name))?;
    let stamp = InventoryStamp { captured_at: item.capture_time?, content_hash: item.content_hash };
    Some((entity.id?, stamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_their_order_and_come_once() {
        let check = |given: &[&str], expected: &[&str]| assert_eq!(distinct(given.iter().copied()), expected);
        check(&["54.1.2.3", "54.1.2.3", "10.0.0.4", "10.0.0.4", "10.0.0.5"], &["54.1.2.3", "10.0.0.4", "10.0.0.5"]);
        check(&["", "10.0.0.4"], &["10.0.0.4"]); // EC2 answers an empty element for a stopped instance
    }

    #[test]
    fn a_platform_is_what_the_agent_has_told() {
        let check = |name: Option<&str>, version: Option<&str>, expected: Option<&str>| {
            let information = InstanceInformation::builder()
                .set_platform_name(name.map(str::to_owned))
                .set_platform_version(version.map(str::to_owned))
                .build();
            assert_eq!(platform(&information).as_deref(), expected);
        };
        check(Some("Debian GNU/Linux"), Some("12"), Some("Debian GNU/Linux 12"));
        check(Some("Amazon Linux"), None, Some("Amazon Linux"));
        check(None, None, None); // registered, but the agent never reported
    }
}
