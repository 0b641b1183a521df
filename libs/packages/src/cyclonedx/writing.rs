//! Writing CycloneDX 1.6.

use super::property;
use muster_domain::{Inventory, OperatingSystem, Package};
use serde_json::{Value, json};
use std::collections::HashMap;

/// The inventory of the target as a CycloneDX 1.6 document. Without a serial number and a time: the same inventory
/// gives the same document.
pub fn write(inventory: &Inventory, target: &str) -> Value {
    let mut times: HashMap<&str, usize> = HashMap::new();
    let mut components: Vec<Value> = inventory.os.iter().map(operating_system).collect();
    components.extend(inventory.packages.iter().map(|package| {
        let seen = times.entry(&package.purl).or_default();
        *seen += 1;
        component(package, *seen)
    }));
    let skipped = inventory
        .skipped
        .iter()
        .map(|skipped| (property::SKIPPED, serde_json::to_string(skipped).expect("two texts are always JSON")));
    let limits = inventory.limits_reached.iter().map(|limit| (property::LIMIT, limit.clone()));
    let gaps = inventory
        .gaps
        .iter()
        .map(|gap| (property::GAP, serde_json::to_string(gap).expect("two texts and a number are always JSON")));
    let image = inventory
        .image
        .iter()
        .map(|image| (property::IMAGE, serde_json::to_string(image).expect("texts are always JSON")));
    let mut document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [
                {"type": "application", "name": "muster", "version": env!("CARGO_PKG_VERSION")},
            ]},
            "component": {"bom-ref": "target", "type": "application", "name": target},
        },
        "components": components,
    });
    let properties = properties(skipped.chain(limits).chain(gaps).chain(image));
    if !properties.is_empty() {
        document["metadata"]["properties"] = properties.into();
    }
    if inventory.is_partial() {
        document["compositions"] = json!([{"aggregate": "incomplete", "assemblies": ["target"]}]);
    }
    document
}

fn operating_system(os: &OperatingSystem) -> Value {
    let mut component = json!({
        "bom-ref": "operating-system",
        "type": "operating-system",
        "name": os.id,
        "version": os.version,
        "description": os.pretty_name,
    });
    if let Some(codename) = &os.codename {
        component["properties"] = json!([{"name": property::CODENAME, "value": codename}]);
    }
    component
}

/// `times`: how often this package URL has been written, this time included; references must be unique.
fn component(package: &Package, times: usize) -> Value {
    let reference = if times == 1 { package.purl.clone() } else { format!("{}#{times}", package.purl) };
    let mut component = json!({
        "bom-ref": reference,
        "type": "library",
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
    });
    let stated = [
        (property::MANAGER, Some(package.manager.as_str())),
        (property::ARCHITECTURE, package.architecture.as_deref()),
        (property::SOURCE_NAME, package.source.as_ref().map(|source| source.name.as_str())),
        (property::SOURCE_VERSION, package.source.as_ref().map(|source| source.version.as_str())),
        (property::LAYER, package.layer.as_ref().map(|layer| layer.as_str())),
        (property::LAMBDA_LAYER, package.lambda_layer.as_deref()),
        (property::OWNED_BY, package.owned_by.as_deref()),
    ];
    component["properties"] =
        properties(stated.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned())))).into();
    if !package.paths.is_empty() {
        let occurrences: Vec<Value> = package.paths.iter().map(|path| json!({"location": path})).collect();
        component["evidence"] = json!({"occurrences": occurrences});
    }
    component
}

fn properties(stated: impl Iterator<Item = (&'static str, String)>) -> Vec<Value> {
    stated.map(|(name, value)| json!({"name": name, "value": value})).collect()
}
