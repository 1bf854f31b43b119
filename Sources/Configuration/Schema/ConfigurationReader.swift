private import Foundation

/// Reads a configuration file, and says everything that is wrong with it at once.
public enum ConfigurationReader {
  /// A configuration without mistakes.
  public struct Reading: Sendable, Equatable {
    /// The values that the file gives, with the documented defaults for those that it does not give.
    public var configuration: Configuration
    /// The warnings for the file's author, in the order of the file.
    public var warnings: [Mistake]
    /// The paths of the keys that the file gives a value, such as `reporting.hold`.
    public var given: Set<String> = []
  }

  /// Reads the file at `path` as that of an instance. It blocks for as long as the disk takes.
  public static func read(file path: String, instance: Instance = .plain) -> Result<Reading, ConfigurationError> {
    let bytes: Data
    do throws(ConfigurationFileError) {
      bytes = try contents(of: path)
    } catch {
      return .failure(.file(error))
    }
    return read(ConfigurationText.decode(bytes), name: path, instance).mapError { .mistakes($0) }
  }

  /// Reads the place of the ledger from a file that may have mistakes elsewhere; nil where the file can't be read at all.
  public static func ledgerLocation(
    inFile path: String, instance: Instance = .plain
  ) -> Configuration.Ledger.Location? {
    guard let bytes = try? contents(of: path), let text = try? ConfigurationText.decode(bytes).get() else { return nil }
    return SchemaReading(YAMLDocument(text), instance).configuration.ledger.location
  }

  /// Reads a text; `name` stands for the file in what is said about it.
  public static func read(
    text: String, name: String, instance: Instance = .plain
  ) -> Result<Reading, ConfigurationMistakes> {
    read(ConfigurationText.prepare(text), name: name, instance)
  }

  private static func read(
    _ text: Result<String, YAMLSyntaxMistake>, name: String, _ instance: Instance
  ) -> Result<Reading, ConfigurationMistakes> {
    let configuration: Configuration
    let findings: [Finding]
    let given: Set<String>
    switch text {
    case .failure(let mistake):
      return .failure(ConfigurationMistakes(mistakes: [mistake.finding.at(name)], warnings: []))
    case .success(let text):
      let reading = SchemaReading(YAMLDocument(text), instance)
      configuration = reading.configuration
      findings = reading.findings + Contradictions(reading).findings
      given = Set(reading.given.filter(\.value.counts).keys)
    }
    // Sorting is stable: what was found first at one place stays first.
    let sorted = findings.sorted { $0.position < $1.position }.map { $0.at(name) }
    let mistakes = sorted.filter { $0.severity == .mistake }
    let warnings = sorted.filter { $0.severity == .warning }
    guard mistakes.isEmpty else { return .failure(ConfigurationMistakes(mistakes: mistakes, warnings: warnings)) }
    return .success(Reading(configuration: configuration, warnings: warnings, given: given))
  }

  /// Reads at most one byte more than a configuration may have, so that a huge file is not read to its end.
  private static func contents(of path: String) throws(ConfigurationFileError) -> Data {
    let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
      switch attributes[.type] as? FileAttributeType {
      case .typeRegular?: break
      case .typeDirectory?: throw ConfigurationFileError(path: path, reason: .directory)
      default: throw ConfigurationFileError(path: path, reason: .notRegular)
      }
      let file = try FileHandle(forReadingFrom: url)
      defer { try? file.close() }
      return try file.read(upToCount: ConfigurationText.bytesMax + 1) ?? Data()
    } catch let error as ConfigurationFileError {
      throw error
    } catch {
      throw ConfigurationFileError(path: path, reason: reason(of: error))
    }
  }

  static func reason(of error: any Error) -> ConfigurationFileError.Reason {
    switch (error as? CocoaError)?.code {
    case .fileReadNoSuchFile?, .fileNoSuchFile?: .missing
    case .fileReadNoPermission?: .permission
    default: .unreadable(error.localizedDescription)
    }
  }
}
