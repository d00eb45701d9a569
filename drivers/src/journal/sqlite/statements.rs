//! Every statement of the driver fits the schema and finds its rows by an index.

use rusqlite::Connection;

/// Every literal statement in the driver's sources, its placeholders for columns replaced.
fn statements() -> Vec<String> {
    let sources = [
        include_str!("apply.rs"),
        include_str!("file.rs"),
        include_str!("groups.rs"),
        include_str!("jobs.rs"),
        include_str!("list.rs"),
        include_str!("messages.rs"),
        include_str!("mod.rs"),
        include_str!("read.rs"),
        include_str!("sweep.rs"),
        include_str!("writer.rs"),
    ];
    let starts = ["select ", "insert ", "update ", "delete "];
    let literals = sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2));
    literals
        .map(|literal| literal.replace("\\\n", "").replace("{}", "id").replace("{wanted}", "1"))
        .map(|literal| literal.replace("{less}", "<").replace("{direction}", "desc").replace("{kind}", "swap"))
        .map(|literal| literal.replace("{index}", "entity_by_owner").replace("{column}", "owner"))
        .filter(|literal| starts.iter().any(|start| literal.starts_with(start)))
        .collect()
}

#[test]
fn statements_fit_the_schema_and_use_its_indexes() {
    let conn = Connection::open_in_memory().unwrap();
    for migration in super::file::MIGRATIONS {
        conn.execute_batch(migration).unwrap();
    }
    let all = statements();
    assert!(all.len() > 30, "found only {}", all.len());
    // These look at a whole queue or happen once at the start.
    let scans = ["select count(*)", "select distinct queue", "update job set lease_until = null where lease_until is"];
    for sql in &all {
        conn.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let mut plan = conn.prepare(&format!("explain query plan {sql}")).unwrap();
        for index in 1..=plan.parameter_count() {
            plan.raw_bind_parameter(index, 1).unwrap();
        }
        let mut rows = plan.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let detail: String = row.get(3).unwrap();
            let reads_all =
                detail.starts_with("SCAN") && !detail.contains("journal_head") && !detail.contains("CONSTANT");
            let expected = scans.iter().any(|start| sql.starts_with(start)) || sql.contains("max(created_seq)");
            assert!(!reads_all || expected, "{sql}: {detail}");
            // Counting messages reads no row.
            let counts = sql.contains("indexed by job") && sql.contains("count(*)") && detail.contains(" job ");
            assert!(!counts || detail.contains("COVERING"), "{sql}: {detail}");
        }
    }
}
