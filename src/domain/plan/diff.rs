//! placeholder
use super::Plan;
/// x
#[derive(Debug, Default)]
pub struct PlanDiff;
/// x
pub fn diff(_: &Plan, _: &Plan) -> PlanDiff {
    PlanDiff
}
