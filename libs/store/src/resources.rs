//! Resources, as discovery's sweeps see them come, change and go.

use crate::{
    DISCOVERY, OutboxMessage, Store, StoreError, body,
    engine::{Value, Write, placeholders, values},
    limit,
};
use muster_domain::{AccountId, Digest, Region, Resource, ResourceDetails, ResourceId, ResourceKind};
use std::collections::{BTreeMap, BTreeSet};

/// Ids in one statement.
pub(crate) const IDS_MAX: usize = 500;

/// How long a gone resource is kept: longer than the three days for which its closed findings still name it.
const GONE_KEPT_MICROS: i64 = 7 * 24 * 60 * 60 * 1_000_000;

/// What of one kind one account has in one region.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// Which kind.
    pub kind: ResourceKind,
    /// What was seen.
    pub resources: Vec<Resource>,
    /// Whether that is all there is: then what is not in it is gone.
    pub complete: bool,
    /// When.
    pub at: jiff::Timestamp,
}

/// A difference between a sweep and the store, worth a message.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// New, changed or back again; with its fingerprint.
    Observed(&'a Resource, &'a Digest),
    /// Gone.
    Gone(&'a ResourceId),
}

/// What a sweep has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// New, changed or back again.
    pub changed: Vec<ResourceId>,
    /// Gone since the last sweep.
    pub gone: Vec<ResourceId>,
    /// As they were.
    pub unchanged: u64,
}

/// A resource as it was last seen.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredResource {
    /// As it was last seen.
    pub resource: Resource,
    /// Changes with anything seen of it.
    pub fingerprint: Digest,
    /// When a sweep first saw it as it is.
    pub observed_at: jiff::Timestamp,
    /// Since when no sweep sees it.
    pub gone_at: Option<jiff::Timestamp>,
}

/// A page of resources, ordered by id.
#[derive(Clone, Debug, Default)]
pub struct ResourcePage {
    /// The last id of the page before.
    pub after: Option<String>,
    /// At most [`ROWS_MAX`](crate::ROWS_MAX).
    pub limit: u32,
    /// Only this account's.
    pub account: Option<AccountId>,
    /// Only this region's.
    pub region: Option<Region>,
    /// Only this kind.
    pub kind: Option<ResourceKind>,
    /// Also those that are gone.
    pub include_gone: bool,
}

type Row = (String, String, Vec<u8>, i64, Option<i64>);

/// The columns of [`Row`].
macro_rules! columns {
    () => {
        "r.id, r.fingerprint, r.body, r.observed_at, r.gone_at"
    };
}
pub(crate) use columns;

/// What comes out of [`columns`].
pub(crate) fn stored((id, fingerprint, packed, observed_at, gone_at): Row) -> Result<StoredResource, StoreError> {
    Ok(StoredResource {
        resource: body::unpack_json(&packed, || format!("resource {id}"))?,
        fingerprint: body::digest(fingerprint)?,
        observed_at: body::time(observed_at)?,
        gone_at: gone_at.map(body::time).transpose()?,
    })
}

impl Store {
    /// Takes in a sweep. Only what differs is written and told; the same sweep again changes nothing.
    pub async fn observe(
        &self,
        sweep: &Sweep,
        message: impl Fn(&Change<'_>) -> OutboxMessage + Send,
    ) -> Result<Observed, StoreError> {
        let scope = || values![sweep.account.as_str(), sweep.region.as_str(), sweep.kind.as_str()];
        let seen = by_id(sweep)?;
        let mut write = self.engine.write("take in a sweep").await?;
        write.lock(&format!("observe {} {} {}", sweep.account, sweep.region, sweep.kind.as_str())).await?;
        let known: Vec<(String, String)> = write
            .rows(
                "SELECT id, fingerprint FROM resource
                 WHERE account = $1 AND region = $2 AND kind = $3 AND gone_at IS NULL",
                scope(),
            )
            .await?;
        let known: BTreeMap<_, _> = known.into_iter().collect();

        let changed: Vec<_> = seen
            .iter()
            .filter(|(id, (_, fingerprint))| known.get(id.as_str()).is_none_or(|known| known != fingerprint.as_str()))
            .map(|(_, observed)| observed)
            .collect();
        let gone: Vec<_> =
            known.keys().map(ResourceId::new).filter(|id| sweep.complete && !seen.contains_key(id)).collect();
        put_changed(&mut write, sweep, &changed).await?;
        mark_gone(&mut write, sweep.at, &gone).await?;

        let observed = changed.iter().map(|(resource, fingerprint)| message(&Change::Observed(resource, fingerprint)));
        let messages: Vec<_> = observed.chain(gone.iter().map(|id| message(&Change::Gone(id)))).collect();
        write.tell(DISCOVERY, messages).await?;
        write.commit().await?;
        Ok(Observed {
            unchanged: (seen.len() - changed.len()) as u64,
            changed: changed.iter().map(|(resource, _)| resource.id.clone()).collect(),
            gone,
        })
    }

    /// Forgets resources that have been gone for a week and have no finding any more; how many.
    pub async fn purge_gone(&self, now: jiff::Timestamp) -> Result<u64, StoreError> {
        let mut write = self.engine.write("forget gone resources").await?;
        let forgotten = write
            .run(
                "DELETE FROM resource WHERE gone_at < $1
                 AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.resource = resource.id)",
                values![now.as_microsecond() - GONE_KEPT_MICROS],
            )
            .await?;
        write.commit().await?;
        Ok(forgotten)
    }

    /// One resource, present or gone.
    pub async fn resource(&self, id: &ResourceId) -> Result<Option<StoredResource>, StoreError> {
        const SQL: &str = concat!("SELECT ", columns!(), " FROM resource r WHERE r.id = $1");
        self.engine.row("read a resource", SQL, values![id]).await?.map(stored).transpose()
    }

    /// These resources, present or gone, in any order; what is not in the store is left out.
    pub async fn resources_by_id(&self, ids: &[ResourceId]) -> Result<Vec<StoredResource>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS_MAX) {
            let sql = concat!("SELECT ", columns!(), " FROM resource r WHERE r.id IN ");
            let sql = format!("{sql}{}", placeholders(1, ids.len(), 0));
            let rows = self.engine.rows_made("read resources", sql, ids.iter().map(Value::from).collect()).await?;
            for row in rows {
                found.push(stored(row)?);
            }
        }
        Ok(found)
    }

    /// A page of resources.
    pub async fn resources(&self, page: &ResourcePage) -> Result<Vec<StoredResource>, StoreError> {
        let mut sql = concat!("SELECT ", columns!(), " FROM resource r WHERE r.id > $1").to_owned();
        let mut values = values![page.after.as_deref().unwrap_or_default()];
        let mut only = |column: &str, value: Option<&str>| {
            if let Some(value) = value {
                values.push(value.into());
                sql.push_str(&format!(" AND r.{column} = ${}", values.len()));
            }
        };
        only("account", page.account.as_ref().map(AccountId::as_str));
        only("region", page.region.as_ref().map(Region::as_str));
        only("kind", page.kind.map(ResourceKind::as_str));
        if !page.include_gone {
            sql.push_str(" AND r.gone_at IS NULL");
        }
        values.push(limit(page.limit).into());
        sql.push_str(&format!(" ORDER BY r.id LIMIT ${}", values.len()));
        self.engine.rows_made("list resources", sql, values).await?.into_iter().map(stored).collect()
    }
}

/// The last of two with the same id counts, and a resource of another scope is refused: it would be marked as gone by
/// its own scope's next sweep.
fn by_id(sweep: &Sweep) -> Result<BTreeMap<ResourceId, (&Resource, Digest)>, StoreError> {
    let mut seen = BTreeMap::new();
    for resource in &sweep.resources {
        let in_scope =
            resource.account == sweep.account && resource.region == sweep.region && resource.kind() == sweep.kind;
        if !in_scope {
            let why = format!("resource {} is of another account, region or kind than its sweep", resource.id);
            return Err(StoreError::Invalid { query: "take in a sweep", why });
        }
        seen.insert(resource.id.clone(), (resource, resource.fingerprint()));
    }
    Ok(seen)
}

async fn put_changed(write: &mut Write, sweep: &Sweep, changed: &[&(&Resource, Digest)]) -> Result<(), StoreError> {
    let row = |(resource, fingerprint): &&(&Resource, Digest)| {
        values![
            &resource.id,
            resource.account.as_str(),
            resource.region.as_str(),
            resource.kind().as_str(),
            fingerprint,
            body::pack_json(resource),
            sweep.at,
        ]
    };
    write
        .insert(
            "INSERT INTO resource (id, account, region, kind, fingerprint, body, observed_at)",
            changed.iter().map(row).collect(),
            "ON CONFLICT (id) DO UPDATE SET account = excluded.account, region = excluded.region,
             kind = excluded.kind, fingerprint = excluded.fingerprint, body = excluded.body,
             observed_at = excluded.observed_at, gone_at = NULL",
        )
        .await?;
    for changed in changed.chunks(IDS_MAX) {
        let sql = format!("DELETE FROM resource_attribute WHERE resource IN {}", placeholders(1, changed.len(), 0));
        write.run_made(sql, changed.iter().map(|(resource, _)| Value::from(&resource.id)).collect()).await?;
    }
    let attributes = changed.iter().flat_map(|(resource, _)| {
        attributes(resource).into_iter().map(|(name, value)| values![&resource.id, name, value])
    });
    write.insert("INSERT INTO resource_attribute (resource, name, value)", attributes.collect(), "").await?;
    Ok(())
}

async fn mark_gone(write: &mut Write, at: jiff::Timestamp, gone: &[ResourceId]) -> Result<(), StoreError> {
    for gone in gone.chunks(IDS_MAX) {
        let sql = format!("UPDATE resource SET gone_at = $1 WHERE id IN {}", placeholders(1, gone.len(), 1));
        let ids = gone.iter().map(Value::from);
        write.run_made(sql, values![at].into_iter().chain(ids).collect()).await?;
    }
    Ok(())
}

/// What findings are filtered by.
fn attributes(resource: &Resource) -> BTreeSet<(String, String)> {
    let mut attributes: BTreeSet<_> =
        resource.tags.iter().map(|(key, value)| (format!("tag:{key}"), value.clone())).collect();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            attributes.insert((name.to_owned(), value.to_owned()));
        }
    };
    match &resource.details {
        ResourceDetails::Instance(instance) => {
            add("ec2:image", &instance.image_id);
            add("ec2:vpc", instance.vpc_id.as_deref().unwrap_or_default());
            add("ec2:subnet", instance.subnet_id.as_deref().unwrap_or_default());
        }
        ResourceDetails::Image(image) => {
            add("ecr:repository", &image.repository);
            add("ecr:registry", &image.registry);
            add("ecr:hash", &image.digest);
            add("ecr:architecture", image.architecture.as_deref().unwrap_or_default());
            image.tags.iter().for_each(|tag| add("ecr:tag", tag));
        }
        ResourceDetails::Function(function) => {
            add("lambda:name", &function.name);
            add("lambda:runtime", &function.runtime);
            add("lambda:role", &function.execution_role_arn);
            function.layers.iter().for_each(|layer| add("lambda:layer", layer));
        }
    }
    attributes
}
