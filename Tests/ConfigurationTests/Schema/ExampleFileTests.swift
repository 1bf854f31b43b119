import Conversions
import Foundation
import Testing

@testable import Configuration

/// Keeps the file, the reader and the defaults in agreement.
@Suite struct ExampleFileTests {
  private static let path = path(of: "config/conversiond.yaml")

  private static func path(of file: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../../" + file)
      .standardizedFileURL.path
  }

  /// Compares a file with the text that it must have; with `CONVERSIOND_WRITE_EXAMPLE` set, writes it before.
  private func expectText(_ text: String, at path: String) throws {
    if ProcessInfo.processInfo.environment["CONVERSIOND_WRITE_EXAMPLE"] != nil {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
  }

  @Test func theFileIsWhatTheSchemaSays() throws { try expectText(ExampleFile.text, at: Self.path) }

  @Test func theManualPageIsWhatTheSchemaSays() throws {
    try expectText(ManualPage.text, at: Self.path(of: "deploy/man/conversiond.yaml.5"))
    for key in Schema.keys { #expect(ManualPage.text.contains("\\fB\(key.path)\\fR\n"), "\(key.path)") }
  }

  @Test func theFileIsAConfigurationWithoutWarnings() throws {
    let reading = try ConfigurationReader.read(file: Self.path).get()
    #expect(reading.warnings.isEmpty)
    #expect(reading.configuration == example)
  }

  @Test func theDefaultsInItAreTheReadersDefaults() throws {
    let text = Self.uncommented(ExampleFile.text)
    let reading = try ConfigurationReader.read(text: text, name: "example").get()
    #expect(
      reading.warnings.map(\.message) == [
        "external_source_id is skipped, as orders.columns.external_source_id is not mapped"
      ])
    #expect(reading.configuration == example)
  }

  @Test func everyKeyIsInItOnce() {
    let given = Self.paths(in: Self.uncommented(ExampleFile.text))
    #expect(given.sorted() == (Schema.keys.map(\.path) + Schema.sections).sorted())
  }

  @Test func everyKeyOfTheSurfaceIsKnown() {
    #expect(Self.paths(in: Sample.full).sorted() == (Schema.keys.map(\.path) + Schema.sections).sorted())
  }

  @Test func noLineIsTooLongForATerminal() {
    #expect(ExampleFile.text.split(separator: "\n").allSatisfy { $0.count <= 120 })
  }

  /// Only the keys without a default, as the file shows them: everything else is left to the initial values.
  private var example: Configuration {
    var configuration = Sample.fullConfiguration
    configuration.orders.columns.externalSourceID = nil
    return configuration
  }

  private static func uncommented(_ text: String) -> String {
    text.replacing(#/(?m)^( *)#([a-z_]+:)/#) { "\($0.output.1)\($0.output.2)" }
  }

  /// The paths of all keys, told by their indentation alone and not by the reader.
  private static func paths(in text: String) -> [String] {
    var open: [String] = []
    var paths: [String] = []
    for line in text.split(separator: "\n") {
      guard let match = line.prefixMatch(of: #/( *)([a-z_]+):/#) else { continue }
      open = open.prefix(match.output.1.count / 2) + [String(match.output.2)]
      paths.append(open.joined(separator: "."))
    }
    return paths
  }
}
