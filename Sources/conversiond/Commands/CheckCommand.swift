import ArgumentParser

/// `conversiond check`.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "check", abstract: "Check.")
  @OptionGroup var global: GlobalOptions
  func run() async throws { _ = try global.readConfiguration() }
}
