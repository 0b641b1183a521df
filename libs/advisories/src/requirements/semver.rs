//! Versions of which the end may be missing, as Cargo and npm write them in requirements: `1`, `1.2`, `1.x`, `1.2.3-rc.1`.

/// One to three numbers and perhaps a pre-release; or no number: any version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Partial {
    numbers: Vec<u64>,
    prerelease: String,
    /// A number was left out on purpose: `x`, `X` or `*` stands for it.
    pub has_wildcard: bool,
}

impl Partial {
    /// Build metadata says nothing about order and is left out. `1.2.3rc1` is read as `1.2.3-rc1`, as node-semver does when
    /// it is told to be loose, which npm tells it where it reads advisories.
    pub fn read(text: &str) -> Result<Self, String> {
        let written = text.trim();
        let text = written.trim_start_matches(['v', '=']).trim_start();
        let text = text.split('+').next().unwrap_or_default();
        let (core, mut prerelease) = text.split_once('-').map_or((text, ""), |(core, rest)| (core, rest));
        let mut partial = Self { numbers: Vec::new(), prerelease: String::new(), has_wildcard: false };
        let parts: Vec<&str> = core.split('.').collect();
        if parts.len() > 3 {
            return Err(format!("`{written}` has more than three numbers"));
        }
        for (place, part) in parts.into_iter().enumerate() {
            if partial.has_wildcard || matches!(part, "x" | "X" | "*") || core.is_empty() {
                partial.has_wildcard = true;
                continue;
            }
            let digits = part.len() - part.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
            let (number, rest) = part.split_at(digits);
            if !rest.is_empty() && (place < 2 || !prerelease.is_empty()) {
                return Err(format!("`{written}` is not a version"));
            }
            partial.numbers.push(number.parse().map_err(|_| format!("`{written}` is not a version"))?);
            prerelease = if rest.is_empty() { prerelease } else { rest };
        }
        if partial.numbers.len() < 3 && !prerelease.is_empty() {
            return Err(format!("`{written}` has a pre-release without three numbers"));
        }
        prerelease.clone_into(&mut partial.prerelease);
        Ok(partial)
    }

    /// How many numbers are there.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether it is a pre-release.
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }

    /// With zeros for what is missing: `1.2` is `1.2.0`.
    pub fn full(&self) -> String {
        match self.prerelease.as_str() {
            "" => self.release(),
            prerelease => format!("{}-{prerelease}", self.release()),
        }
    }

    /// The first pre-release of it: `1.2` is `1.2.0-0`.
    pub fn first(&self) -> String {
        format!("{}-0", self.release())
    }

    /// The first pre-release of the next version that differs in the number at `place`: of `1.2.3` at 1 `1.3.0-0`.
    pub fn next(&self, place: usize) -> Result<String, String> {
        let mut numbers = [0, 1, 2].map(|at| self.number(at));
        numbers[place] =
            numbers[place].checked_add(1).ok_or_else(|| format!("`{}` has a number without a next", self.full()))?;
        numbers[place + 1..].fill(0);
        let [major, minor, patch] = numbers;
        Ok(format!("{major}.{minor}.{patch}-0"))
    }

    /// Where `^` lets nothing change: the first number that is not 0, else the last one given.
    pub fn caret_place(&self) -> usize {
        let last = self.len().saturating_sub(1);
        self.numbers.iter().position(|&number| number != 0).unwrap_or(last)
    }

    /// Where `~` lets nothing change: the second number where it is given, else the first.
    pub fn tilde_place(&self) -> usize {
        self.len().saturating_sub(1).min(1)
    }

    fn number(&self, place: usize) -> u64 {
        self.numbers.get(place).copied().unwrap_or(0)
    }

    fn release(&self) -> String {
        format!("{}.{}.{}", self.number(0), self.number(1), self.number(2))
    }
}

/// The version that comes next in Semantic Versioning's order (§11): of a release the first pre-release of the next patch,
/// of a pre-release itself with the least identifier behind it.
pub(super) fn following(version: &str) -> Option<String> {
    let version = Partial::read(version).ok()?;
    match version.is_prerelease() {
        true => Some(format!("{}.0", version.full())),
        false => version.next(2).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_zero_or_left_open() {
        let check = |text: &str, full: &str, numbers: usize| {
            let partial = Partial::read(text).unwrap();
            assert_eq!((partial.full().as_str(), partial.len()), (full, numbers), "{text}");
        };
        check("1", "1.0.0", 1);
        check("1.2", "1.2.0", 2);
        check("1.2.3-rc.1+build.5", "1.2.3-rc.1", 3);
        check("v1.2.3", "1.2.3", 3);
        check("1.2.x", "1.2.0", 2);
        check("1.x.3", "1.0.0", 1);
        check("*", "0.0.0", 0);
        check("1.2.3rc1", "1.2.3-rc1", 3);
        for text in ["1.2.3.4", "a", "1.", "1.2-rc", "1a.2.3", "-1", "99999999999999999999"] {
            assert!(Partial::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_next_version_is_a_prerelease() {
        assert_eq!(following("1.2.3").as_deref(), Some("1.2.4-0"));
        assert_eq!(following("1.2.3-rc.1").as_deref(), Some("1.2.3-rc.1.0"));
        assert_eq!(following("0.0.18446744073709551615"), None);
    }
}
