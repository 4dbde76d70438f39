//! Answers of the plan, compared with those of a reference that is slow and simple.
//!
//! `SEED` tries others.

use std::{sync::Arc, time::Duration};

use orch::domain::{
    model::{
        config::Config,
        id::TaskId,
        place::{Located, Span},
        task::{AuthorStatus, Estimate, TaskSpec},
        time::Now,
    },
    plan::{Fault, Plan, TaskIndex, build},
    scheduler::{Scheduler, history::Recorded, phase::TaskState},
};

/// How many plans are tried.
const N_PLANS: u64 = 1_500;

/// Tasks that need each other, as a table.
struct Table {
    specs: Vec<TaskSpec>,
    /// Whether one task names another.
    needs: Vec<Vec<bool>>,
    /// Whether one task needs another, directly or through others.
    reaches: Vec<Vec<bool>>,
}

impl Table {
    /// Makes a plan up, with cycles or without, of few edges or many.
    fn random(random: &mut fastrand::Rng) -> Self {
        let n = random.usize(1..13);
        let (density, has_cycles) = (random.f64() * 0.6, random.bool());
        let has_levels = random.bool();
        let specs: Vec<TaskSpec> = (0..n)
            .map(|own| {
                let may_need = |other: &usize| has_cycles || *other < own;
                let needs: Vec<usize> =
                    (0..n).filter(may_need).filter(|_| random.f64() < density).collect();
                let level = (has_levels && random.bool()).then(|| random.u32(..4));
                spec(random, own, &needs, level)
            })
            .collect();
        Self::of(specs)
    }

    fn of(specs: Vec<TaskSpec>) -> Self {
        let n = specs.len();
        let names = |own: usize, other: usize| {
            specs[own].depends_on.iter().any(|named| named.value == specs[other].id.value.as_str())
        };
        let needs: Vec<Vec<bool>> =
            (0..n).map(|own| (0..n).map(|other| names(own, other)).collect()).collect();
        let mut reaches = needs.clone();
        for by in 0..n {
            for from in 0..n {
                for to in 0..n {
                    let is_reached = reaches[from][by] && reaches[by][to];
                    reaches[from][to] |= is_reached;
                }
            }
        }
        Self { specs, needs, reaches }
    }

    fn plan(&self) -> Plan {
        build(self.specs.iter().cloned().map(Arc::new).collect(), [], Config::default())
    }

    fn all(&self) -> std::ops::Range<usize> {
        0..self.specs.len()
    }

    fn is_on_cycle(&self, task: usize) -> bool {
        self.reaches[task][task]
    }

    fn has_cycles(&self) -> bool {
        self.all().any(|task| self.is_on_cycle(task))
    }

    fn level(&self, task: usize) -> Option<u32> {
        self.specs[task].level.as_ref().map(|level| level.value)
    }

    /// Returns the longest way from the start of a task to the end of the plan.
    fn remaining(&self, task: usize) -> Duration {
        let after = self.all().filter(|other| self.needs[*other][task]);
        length(&self.specs[task])
            + after.map(|other| self.remaining(other)).max().unwrap_or_default()
    }
}

fn length(spec: &TaskSpec) -> Duration {
    match spec.estimate {
        Some(Estimate::Time(time)) => time,
        _ => panic!("every task here has an estimate"),
    }
}

fn spec(random: &mut fastrand::Rng, own: usize, needs: &[usize], level: Option<u32>) -> TaskSpec {
    let id = |number: usize| format!("t{number:02}");
    let mut spec = TaskSpec::new(TaskId::parse(&id(own)).unwrap(), format!("{own}.md"));
    spec.depends_on = needs.iter().map(|other| Located::nowhere(id(*other))).collect();
    spec.estimate = Some(Estimate::Time(Duration::from_secs(random.u64(1..100))));
    spec.level = level.map(Located::nowhere);
    let statuses = [AuthorStatus::Todo, AuthorStatus::Todo, AuthorStatus::Done, AuthorStatus::Hold];
    spec.status = Located::new(*random.choice(&statuses).unwrap(), Span::default());
    spec
}

/// Calls `check` with many plans, and names the seed of one for which it fails.
fn for_plans(check: fn(&mut fastrand::Rng, &Table, &Plan)) {
    let first: u64 = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    for seed in first..first + N_PLANS {
        let mut random = fastrand::Rng::with_seed(seed);
        let table = Table::random(&mut random);
        let plan = table.plan();
        let tried = std::panic::AssertUnwindSafe(|| check(&mut random, &table, &plan));
        assert!(std::panic::catch_unwind(tried).is_ok(), "SEED={seed}");
    }
}

fn positions(tasks: &[TaskIndex]) -> Vec<usize> {
    tasks.iter().map(|task| task.position()).collect()
}

#[test]
fn neighbours_are_those_that_are_named() {
    for_plans(|_, table, plan| {
        for task in plan.indices() {
            let own = task.position();
            let is_other = |other: &usize| *other != own;
            let needs = table.all().filter(is_other).filter(|other| table.needs[own][*other]);
            assert_eq!(positions(plan.dependencies(task)), needs.collect::<Vec<_>>());
            let needed = table.all().filter(is_other).filter(|other| table.needs[*other][own]);
            assert_eq!(positions(plan.dependents(task)), needed.collect::<Vec<_>>());
        }
    });
}

#[test]
fn what_is_needed_comes_first() {
    for_plans(|_, table, plan| {
        let order = positions(plan.topological_order());
        let place = |task: usize| order.iter().position(|at| *at == task).unwrap();
        for own in table.all() {
            for other in table.all() {
                let is_before = table.reaches[own][other] && !table.reaches[other][own];
                assert!(!is_before || place(other) < place(own), "{other} before {own}: {order:?}");
            }
        }
    });
}

#[test]
fn who_waits_for_itself_is_on_a_cycle_and_nobody_else() {
    for_plans(|_, table, plan| {
        for task in plan.indices() {
            let Some(Fault::Cycle(path)) = plan.fault(task) else {
                assert!(!table.is_on_cycle(task.position()), "{task:?}");
                continue;
            };
            assert!(table.is_on_cycle(task.position()), "{task:?} {path:?}");
            let path: Vec<usize> =
                path.iter().map(|id| plan.find(id.as_str()).unwrap().position()).collect();
            assert!(path.len() > 1 && path.first() == path.last(), "{path:?}");
            assert!(path.windows(2).all(|edge| table.needs[edge[0]][edge[1]]), "{path:?}");
        }
    });
}

#[test]
fn a_later_level_is_found_however_far_it_is() {
    for_plans(|_, table, plan| {
        if table.has_cycles() {
            return;
        }
        for task in plan.indices() {
            let own = task.position();
            let is_later = |other: usize| match (table.level(own), table.level(other)) {
                (Some(own_level), Some(level)) => table.reaches[own][other] && level > own_level,
                _ => false,
            };
            let expected = table.all().any(is_later);
            match plan.fault(task) {
                Some(Fault::LaterLevel(id)) => {
                    assert!(is_later(plan.find(id.as_str()).unwrap().position()), "{task:?} {id}");
                }
                other => assert!(!expected && other.is_none(), "{task:?} {other:?}"),
            }
        }
    });
}

#[test]
fn the_longest_way_is_the_longest() {
    for_plans(|random, table, plan| {
        if table.has_cycles() {
            return;
        }
        for task in plan.indices() {
            assert_eq!(plan.remaining(task), table.remaining(task.position()), "{task:?}");
        }
        let path = positions(&plan.critical_path(|_| true));
        assert!(path.windows(2).all(|edge| table.needs[edge[1]][edge[0]]), "{path:?}");
        let whole: Duration = path.iter().map(|task| length(&table.specs[*task])).sum();
        assert_eq!(Some(whole), table.all().map(|task| table.remaining(task)).max());
        // Tasks that do not count part the ways that lead through them.
        let counted = |task: TaskIndex| !task.position().is_multiple_of(3);
        let left = table.specs.iter().enumerate().filter(|(n, _)| !n.is_multiple_of(3));
        let left = Table::of(left.map(|(_, spec)| spec.clone()).collect());
        let path = positions(&plan.critical_path(counted));
        let whole: Duration = path.iter().map(|task| length(&table.specs[*task])).sum();
        let longest = left.all().map(|task| left.remaining(task)).max();
        assert_eq!(whole, longest.unwrap_or_default(), "{path:?} {}", random.u8(..));
    });
}

#[test]
fn ready_is_what_waits_for_nothing() {
    for_plans(|random, table, _| {
        let mut specs = table.specs.clone();
        specs.iter_mut().for_each(|spec| spec.level = None);
        let table = Table::of(specs);
        let plan = Arc::new(table.plan());
        let scheduler = Scheduler::recover(Arc::clone(&plan), Recorded::default(), Now::default());
        let is_done = |task: usize| table.specs[task].status.value == AuthorStatus::Done;
        for (task, state) in plan.indices().zip(scheduler.states()) {
            let own = task.position();
            let is_open = table.specs[own].status.value == AuthorStatus::Todo;
            let is_free = table.all().all(|other| !table.needs[own][other] || is_done(other));
            let expected = is_open && is_free && !table.is_on_cycle(own);
            assert_eq!(state == TaskState::Ready, expected, "{task:?} {state:?} {}", random.u8(..));
            assert_eq!(state == TaskState::Done, is_done(own), "{task:?} {state:?}");
        }
    });
}

/// Returns what must be the same however a plan came about: all but the choice among orders.
fn told(plan: &Plan) -> Vec<String> {
    let line = |task| {
        let (needs, needed) = (plan.dependencies(task), plan.dependents(task));
        let times = (plan.duration(task), plan.remaining(task));
        format!("{:?} {needs:?} {needed:?} {:?} {times:?}", plan.spec(task), plan.fault(task))
    };
    plan.indices().map(line).collect()
}

#[test]
fn in_whatever_order_edits_are_told_the_plan_is_the_same() {
    for_plans(|random, table, plan| {
        let n = table.specs.len();
        let mut after: Vec<TaskSpec> = table.specs.clone();
        let mut edited: Vec<usize> = table.all().filter(|_| random.bool()).collect();
        for &own in &edited {
            let needs: Vec<usize> =
                (0..n).filter(|other| other != &own && random.u8(..4) == 0).collect();
            let level = after[own].level.as_ref().map(|level| level.value);
            after[own] = spec(random, own, &needs, level);
        }
        let expected = told(&Table::of(after.clone()).plan());
        for _ in 0..3 {
            random.shuffle(&mut edited);
            let mut now = table.specs.clone();
            let mut followed = plan.clone();
            for &own in &edited {
                now[own] = after[own].clone();
                let quick = followed.with_spec(&Arc::new(after[own].clone()));
                followed = quick.unwrap_or_else(|| Table::of(now.clone()).plan());
            }
            assert_eq!(told(&followed), expected, "{edited:?}");
        }
    });
}
