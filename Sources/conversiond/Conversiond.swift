import ArgumentParser

/// The root command: what `conversiond --help` shows.
struct Conversiond: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conversiond",
    abstract: "Reports a shop's orders to the Offertown partners API as conversions.",
    discussion: """
      Polls the shop's own PostgreSQL orders table, matches each order to a referral by external source ID or by the \
      friend's e-mail, and reports the conversion, from a queue that survives restarts, crashes and outages.

      EXAMPLES
        conversiond check                      test the configuration, the database and the API; change nothing
        conversiond run --dry-run              decide about every order, and send nothing
        conversiond reload                     make the running daemon load its configuration again
        conversiond status                     one screen: what is reported, what waits, what needs a person
        conversiond queue list --state review  the orders that need a person, with the reason
        conversiond sandbox                    serve the API locally, to try all of it

      EXIT STATUS
        0 done, 1 check failed or degraded, 3 not running, 4 no such entry, 64 usage, 65 ledger damaged or newer than \
      this program, 69 unreachable, 70 internal, 74 disk, 75 try again, 77 permission, 78 configuration or key
      """,
    version: "conversiond \(Version.text)",
    subcommands: [
      RunCommand.self, CheckCommand.self, ReloadCommand.self, StatusCommand.self, QueueCommand.self, ResumeCommand.self,
      ForgetCommand.self, BackupCommand.self, RestoreCommand.self, RebuildCommand.self, AcceptMappingCommand.self,
      SandboxCommand.self,
    ])
}
