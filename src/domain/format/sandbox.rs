//! What a worker in a sandbox may do, as it stands in the files.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::{
    fault::shown,
    field::{Field, List},
    value::{FromText, TextVisitor, ValueFault, text_values},
};
use crate::domain::model::sandbox::{Network, SandboxSpec, base_of};

/// What a worker may do where it runs in a sandbox. Task, role and settings add up.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `network`")]
#[schemars(rename = "Sandbox")]
pub struct RawSandbox {
    /// Whether it reaches other machines: `on`, as coding agents need it, or `off`.
    pub network: Field<Network>,
    /// What it may write beside its worktree: absolute, below `~/`, or relative to the folder of the
    /// plan.
    pub write: Field<List<SandboxPath>>,
    /// What it does not see, beside keys and passwords in the home folder; written likewise.
    pub hide: Field<List<SandboxPath>>,
}

impl RawSandbox {
    /// Returns what it means.
    pub fn spec(self) -> SandboxSpec {
        let paths = |list: Field<List<SandboxPath>>| {
            let paths = list.value.map(List::values).into_iter().flatten();
            paths.map(|path| path.0).collect()
        };
        let network = self.network.value;
        SandboxSpec { network, write: paths(self.write), hide: paths(self.hide) }
    }
}

/// A file or folder that a worker in a sandbox may write, or does not see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxPath(String);

text_values!(SandboxPath);

impl FromText for SandboxPath {
    const EXPECTED: &'static str = "a path";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        match base_of(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(reason) => {
                let message = format!("the path {} does not hold: {reason}", shown(text));
                Err(ValueFault::new("bad-path", message)
                    .with_help("write it as `~/.cache`, `/srv/cache`, or relative to the plan"))
            }
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}
