//! Targets: what can be read, as a person writes it.

use crate::{ImageReference, MalformedReference};
use std::{fmt, path::PathBuf, str::FromStr};

/// Something that holds a tree of files, or tells of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `dir:PATH`: a folder as the root.
    Directory(PathBuf),
    /// `oci:PATH[:TAG]`: an OCI image layout, as a folder or a tar of it, or what `docker save` writes.
    OciLayout(PathBuf, Option<String>),
    /// `image:REFERENCE`: an image in a registry.
    Image(ImageReference),
    /// `zip:PATH`: a zip, such as a Lambda function's code.
    Zip(PathBuf),
    /// `sbom:PATH`: a CycloneDX JSON document.
    Sbom(PathBuf),
}

/// The text is not a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedTarget {
    /// No kind that we know.
    #[error("target `{0}` does not begin with `dir:`, `oci:`, `image:`, `zip:` or `sbom:`")]
    UnknownKind(String),
    /// Nothing stands behind the kind.
    #[error("target `{0}` has no path")]
    Empty(String),
    /// Not an image reference.
    #[error(transparent)]
    Reference(#[from] MalformedReference),
}

impl FromStr for Target {
    type Err = MalformedTarget;
    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let (kind, rest) = raw.split_once(':').ok_or_else(|| MalformedTarget::UnknownKind(raw.to_owned()))?;
        let path =
            || if rest.is_empty() { Err(MalformedTarget::Empty(raw.to_owned())) } else { Ok(PathBuf::from(rest)) };
        match kind {
            "dir" => Ok(Self::Directory(path()?)),
            "zip" => Ok(Self::Zip(path()?)),
            "sbom" => Ok(Self::Sbom(path()?)),
            "image" => Ok(Self::Image(rest.parse()?)),
            "oci" => {
                path()?;
                Ok(match rest.rsplit_once(':') {
                    Some((path, tag)) if !path.is_empty() && !tag.is_empty() && !tag.contains('/') => {
                        Self::OciLayout(path.into(), Some(tag.to_owned()))
                    }
                    _ => Self::OciLayout(rest.into(), None),
                })
            }
            _ => Err(MalformedTarget::UnknownKind(raw.to_owned())),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(formatter, "dir:{}", path.display()),
            Self::OciLayout(path, None) => write!(formatter, "oci:{}", path.display()),
            Self::OciLayout(path, Some(tag)) => write!(formatter, "oci:{}:{tag}", path.display()),
            Self::Image(reference) => write!(formatter, "image:{reference}"),
            Self::Zip(path) => write!(formatter, "zip:{}", path.display()),
            Self::Sbom(path) => write!(formatter, "sbom:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_written_as_they_are_read() {
        for raw in [
            "dir:/srv/app",
            "dir:.",
            "oci:layout",
            "oci:/x/layout:v1",
            "oci:archive.tar",
            "zip:code.zip",
            "sbom:bom.json",
            "image:localhost:5000/a/b:1",
        ] {
            assert_eq!(raw.parse::<Target>().map(|target| target.to_string()), Ok(raw.to_owned()));
        }
    }

    #[test]
    fn what_is_no_target_is_refused_with_a_reason() {
        let check = |raw: &str, expected: &str| assert_eq!(raw.parse::<Target>().unwrap_err().to_string(), expected);
        check("/srv/app", "target `/srv/app` does not begin with `dir:`, `oci:`, `image:`, `zip:` or `sbom:`");
        check("disk:x", "target `disk:x` does not begin with `dir:`, `oci:`, `image:`, `zip:` or `sbom:`");
        check("zip:", "target `zip:` has no path");
    }
}
