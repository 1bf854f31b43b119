import ArgumentParser
import Configuration

/// The options that every command takes, before or after its name.
struct GlobalOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The configuration file, in place of /etc/conversiond/conversiond.yaml or the instance's.", valueName: "file"))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "The instance, for a host with several shops: /etc/conversiond/NAME.yaml, with a ledger and a socket of its own.",
      valueName: "name"),
    transform: { try Instance(name: $0) })
  var instance: Instance?

  @Flag(help: "Print JSON: lines for lists, one object otherwise.")
  var json = false

  @Flag(help: "Print without colors; so does a NO_COLOR in the environment.")
  var noColor = false

  /// The file that is read.
  var configurationFile: String { config ?? (instance ?? .plain).configurationFile }

  /// Reads the configuration and leaves its warnings to the caller.
  ///
  /// - Throws: `CommandFailure` 78 with all its mistakes, or 77 where the file may not be read.
  func readWithWarnings() throws -> (Configuration, [Mistake]) {
    let reading = try read()
    return (reading.configuration, reading.warnings)
  }

  /// Reads the configuration with all that is known of its file.
  ///
  /// - Throws: `CommandFailure` 78 with all its mistakes, or 77 where the file may not be read.
  func read() throws -> ConfigurationReader.Reading {
    let instance = instance ?? .plain
    AdvisedCommands.address(instance)
    return try ConfigurationReader.read(file: configurationFile, instance: instance)
      .mapError { CommandFailure($0, file: configurationFile) }.get()
  }
}
