//! The command line is read as documented.

use std::time::Duration;

use super::values::{age, duration, pause};
use super::*;
use clap::CommandFactory;

#[test]
fn the_definition_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn no_command_means_serve() {
    let read = |line: &str| {
        let words = line.split_whitespace().map(OsString::from);
        with_default_command(words).join(&OsString::from(" ")).into_string().expect("text")
    };
    for (given, meant) in [
        ("tradewind", "tradewind serve"),
        ("tradewind --listen 127.0.0.1:0", "tradewind serve --listen 127.0.0.1:0"),
        ("tradewind --no-color", "tradewind --no-color serve"),
        ("tradewind --no-color tail", "tradewind --no-color tail"),
        ("tradewind --help", "tradewind --help"),
        ("tradewind quote SOL USDC 1", "tradewind quote SOL USDC 1"),
    ] {
        assert_eq!(read(given), meant);
    }
}

#[test]
fn durations_have_units() {
    for (text, millis) in [("800ms", 800), ("30s", 30_000), ("5m", 300_000), ("24h", 86_400_000)] {
        assert_eq!(duration(text), Ok(Duration::from_millis(millis)));
    }
    for bad in ["", "5", "s", "-1s", "1.5s", "0s", "25h", "5 s", "99999999999999999999s"] {
        assert!(duration(bad).is_err(), "{bad:?}");
    }
    assert_eq!((pause("0s"), pause("5s")), (Ok(Duration::ZERO), Ok(Duration::from_secs(5))));
    assert!(pause("25h").is_err() && pause("0").is_err() && duration("1d").is_err());
    assert_eq!(age("90d"), Ok(Duration::from_secs(90 * 86_400)));
    for bad in ["0d", "3651d", "99999999999999999999d", "1y", "d"] {
        assert!(age(bad).is_err(), "{bad:?}");
    }
}

fn serve(line: &str) -> Serve {
    let words = ["tradewind", "serve"].into_iter().chain(line.split_whitespace());
    match Cli::try_parse_from(words).expect("a good line").command {
        Command::Serve(serve) => *serve,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_world_is_let_in_only_on_demand() {
    let refusal = |line: &str, open| serve(line).refusal_of_strangers(open);
    let refused = refusal("--listen 0.0.0.0:8080", true).expect("a refusal");
    assert!(refused.contains("--open") && refused.contains("keys create"), "{refused}");
    assert!(refusal("--facade dex=0.0.0.0:3000", true).is_some());
    for (line, open) in [
        ("--listen 0.0.0.0:8080 --open", true),
        ("--listen 0.0.0.0:8080", false),
        ("--listen [::1]:8080", true),
        ("--journal postgres://h/d --roles relay --listen 0.0.0.0:9100", true),
        ("", true),
    ] {
        assert_eq!(refusal(line, open), None, "{line}");
    }
}

#[test]
fn settings_that_bite_are_warned_of() {
    let plain = serve("").warnings(true);
    assert_eq!(plain.len(), 1, "{plain:?}");
    assert!(plain[0].contains("open"));
    for (line, says) in [
        ("--concurrency swap.execute=0", "executes no order"),
        ("--keep-events 12h", "--keep-events"),
        ("--quote-deadline 40s", "--request-deadline"),
        ("--venue paper?lose_answer=10", "misbehave"),
        ("--live --venue jupiter=https://api.jup.ag?rpc=https://node.example", "real money"),
        ("--failpoints commit.before=1", "kill"),
        ("--listen 0.0.0.0:1 --open", "everyone"),
        ("--listen 0.0.0.0:1 --open", "no --rate-limit"),
        ("--journal postgres://127.0.0.1/t --rate-limit 5/s", "every process"),
        ("--trusted-proxy 10.0.0.0/8", "--rate-limit-address"),
    ] {
        let warnings = serve(line).warnings(true);
        assert!(warnings.iter().any(|w| w.contains(says)), "{line}: {warnings:?}");
    }
    assert_eq!(serve("").warnings(false), Vec::<String>::new());
    let warned = serve("--anonymous dex=legacy").warnings(false);
    assert!(warned.len() == 1 && warned[0].contains("dex=legacy"), "{warned:?}");
    for line in ["--rate-limit 5/s", "--cache redis://127.0.0.1 --journal postgres://127.0.0.1/t --rate-limit 5/s"] {
        assert_eq!(serve(line).warnings(true).len(), 1, "{line}");
    }
}

#[test]
fn limits_are_read() {
    let serve = serve("--rate-limit 10/m:3 --rate-limit-address 5/s --trusted-proxy 10.0.0.0/8,::1");
    assert_eq!(serve.rate_limit.expect("given").to_string(), "10/m:3");
    assert_eq!(serve.rates().address.expect("given").burst(), 5);
    assert_eq!(serve.trusted_proxy.len(), 2);
}

#[test]
fn secrets_are_never_printed() {
    let secret = "0123456789abcdef".repeat(4);
    let settings = serve(&format!("--secret {secret}"));
    assert!(!format!("{settings:?}").contains(&secret));
    assert_eq!(settings.secret.expect("given").bytes().expect("64 digits")[..2], [0x01, 0x23]);
    let line = ["tradewind", "tail", "--key", "hunter2", "--as", "hunter3"];
    let tail = format!("{:?}", Cli::try_parse_from(line).expect("a good line"));
    assert!(!tail.contains("hunter"), "{tail}");
    let wrong = serve("--secret hunter2").secret.expect("given").bytes().expect_err("no digits");
    assert!(!wrong.contains("hunter2"), "{wrong}");
}

#[test]
fn urls_are_shown_without_their_secrets() {
    let warnings = serve("--venue simnet=http://me:hunter2@127.0.0.1:1/?fail=1").warnings(true);
    assert!(warnings.iter().any(|w| w.contains("--venue simnet=http://127.0.0.1:1:")), "{warnings:?}");
    assert!(!warnings.concat().contains("hunter2"));
}

#[test]
fn roles_go_with_what_they_need() {
    let postgres = "--journal postgres://u:hunter2@h/d";
    let secret = "0123456789abcdef".repeat(4);
    for (line, says) in [
        ("--roles work".to_owned(), Some("leave --roles out")),
        ("--roles api,work".to_owned(), Some("leave --roles out")),
        ("--roles relay,work,api".to_owned(), None),
        (postgres.to_owned(), Some("--secret is needed")),
        (format!("{postgres} --roles api"), Some("--secret is needed")),
        (format!("{postgres} --roles api --secret {secret}"), None),
        (format!("{postgres} --roles work"), Some("--secret is needed")),
        (format!("{postgres} --roles work --secret {secret}"), None),
        (format!("{postgres} --roles relay --listen 0.0.0.0:9100"), None),
        (format!("{postgres} --roles work --secret {secret} --facade dex=127.0.0.1:0"), Some("needs the role api")),
    ] {
        let refusal = serve(&line).refusal();
        assert_eq!(refusal.is_some(), says.is_some(), "{line}: {refusal:?}");
        let refusal = refusal.unwrap_or_default();
        assert!(refusal.contains(says.unwrap_or_default()) && !refusal.contains("hunter2"), "{line}: {refusal}");
    }
    // Warnings about requests are of no use to who takes none.
    assert_eq!(serve("--roles relay").warnings(true), Vec::<String>::new());
}

#[test]
fn queues_have_their_own_concurrency() {
    let default = serve("").concurrency();
    assert_eq!((default.of("swap.execute"), default.of("swap.expire")), (256, 10));
    let told = serve("--concurrency swap.execute=7,swap.expire=0").concurrency();
    assert_eq!((told.of("swap.execute"), told.of("swap.expire")), (7, 0));
}

#[test]
fn who_is_reached_from_outside_stops_with_a_pause() {
    for (line, seconds) in [
        ("", 0),
        ("--listen 0.0.0.0:80", 5),
        ("--facade dex=0.0.0.0:80", 5),
        ("--listen 0.0.0.0:80 --unready-for 0s", 0),
        ("--unready-for 7s", 7),
    ] {
        assert_eq!(serve(line).unready_for(), Duration::from_secs(seconds), "{line}");
    }
}
