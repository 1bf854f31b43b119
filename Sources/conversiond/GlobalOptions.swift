import ArgumentParser
import Configuration

/// The options that every command takes, before or after its name.
struct GlobalOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
  var config = "/etc/conversiond/conversiond.yaml"

  @Flag(help: "Print JSON: lines for lists, one object otherwise.")
  var json = false

  @Flag(help: "Print without colors; so does a NO_COLOR in the environment.")
  var noColor = false

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
    switch ConfigurationReader.read(file: config) {
    case .success(let reading): return reading
    case .failure(.file(let error)):
      throw CommandFailure(error.reason == .permission ? .permission : .configuration, error.description)
    case .failure(.mistakes(let mistakes)):
      let count = mistakes.mistakes.count
      throw CommandFailure(
        .configuration, "\(count) mistake\(count == 1 ? "" : "s") in \(config)",
        details: mistakes.mistakes.map(\.description), warnings: mistakes.warnings.map(\.description))
    }
  }
}
