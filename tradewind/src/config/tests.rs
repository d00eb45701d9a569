//! The command line is read as documented.

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
    let refused = serve("--listen 0.0.0.0:8080").refusal().expect("a refusal");
    assert!(refused.contains("--open"), "{refused}");
    assert!(serve("--facade dex=0.0.0.0:3000").refusal().is_some());
    assert_eq!(serve("--listen 0.0.0.0:8080 --open").refusal(), None);
    assert_eq!(serve("--listen [::1]:8080").refusal(), None);
    assert_eq!(serve("").refusal(), None);
}

#[test]
fn settings_that_bite_are_warned_of() {
    let plain = serve("").warnings();
    assert_eq!(plain.len(), 1, "{plain:?}");
    assert!(plain[0].contains("open"));
    for (line, says) in [
        ("--swap-concurrency 0", "no order is executed"),
        ("--quote-deadline 40s", "--request-deadline"),
        ("--venue paper?lose_answer=10", "misbehave"),
        ("--failpoints commit.before=1", "kill"),
        ("--listen 0.0.0.0:1 --open", "everyone"),
    ] {
        let warnings = serve(line).warnings();
        assert!(warnings.iter().any(|w| w.contains(says)), "{line}: {warnings:?}");
    }
}

#[test]
fn secrets_are_never_printed() {
    let secret = "0123456789abcdef".repeat(4);
    let settings = serve(&format!("--secret {secret}"));
    assert!(!format!("{settings:?}").contains(&secret));
    assert_eq!(settings.secret.expect("given").bytes().expect("64 digits")[..2], [0x01, 0x23]);
    let wrong = serve("--secret hunter2").secret.expect("given").bytes().expect_err("no digits");
    assert!(!wrong.contains("hunter2"), "{wrong}");
}
