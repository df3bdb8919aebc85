//! `voiceflow completions`: the script that completes arguments in a shell.

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::exit::{Outcome, print};

const AFTER_HELP: &str = "\
Examples:
  voiceflow completions bash > ~/.local/share/bash-completion/completions/voiceflow
  voiceflow completions zsh > ~/.zfunc/_voiceflow
  voiceflow completions fish > ~/.config/fish/completions/voiceflow.fish";

/// Arguments of `completions`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the command; `cli` is the whole command line.
pub fn run(args: &CompletionsArgs, mut cli: Command) -> Outcome {
    let mut script = Vec::new();
    generate(args.shell, &mut cli, "voiceflow", &mut script);
    print(&String::from_utf8_lossy(&script))
}
