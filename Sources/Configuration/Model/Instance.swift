/// One daemon of a host and the names of all that is its own: a host has one for each shop.
///
/// All instances share the runtime directory, and in it the pacer's file, as they share the API's limits.
public struct Instance: Sendable, Equatable {
  /// The instance without a name, which has the documented default of each path.
  public static let plain = Instance()

  /// The name that `--instance` and the unit give it; nil for the plain instance.
  public let name: String?

  private init() { name = nil }

  /// Makes the instance of a name, which becomes a part of file names and of its unit's name.
  ///
  /// - Throws: `NameMistake` for any other name than `--instance` may be given.
  public init(name: String) throws(NameMistake) {
    if let mistake = NameMistake(of: name) { throw mistake }
    self.name = name
  }

  /// The configuration, where `--config` names no other.
  public var configurationFile: String { "/etc/conversiond/\(name ?? Self.plainConfiguration).yaml" }

  /// The API key's file, where neither systemd's credential nor `api.key_file` names another.
  public var keyFile: String { "/etc/conversiond/\(name.map { $0 + "." } ?? "")api-key" }

  /// The ledger, where `ledger.location` names no other.
  public var ledgerFile: String { "/var/lib/conversiond/\(name ?? Self.plainLedger).sqlite" }

  /// The name of the control socket in the runtime directory.
  public var socketName: String { "\(name ?? Self.plainSocket).sock" }

  /// The systemd unit that runs it, as `systemctl` takes its name.
  public var unit: String { "conversiond\(name.map { "@" + $0 } ?? "")" }

  fileprivate static let plainConfiguration = "conversiond"
  fileprivate static let plainLedger = "ledger"
  fileprivate static let plainSocket = "control"
}

extension Instance {
  /// The reason why a text is no name of an instance.
  public enum NameMistake: Error, Sendable, Equatable, CustomStringConvertible {
    /// It has other characters, or begins with one that it may only have later.
    case characters
    /// It is longer than ``NameMistake/lengthMax``.
    case length
    /// A file of the plain instance has it: two daemons would have one file.
    case plain

    /// The most characters: a socket's whole path has room for 107 bytes (unix(7)).
    public static let lengthMax = 64

    init?(of name: String) {
      let plain = [Instance.plainConfiguration, Instance.plainLedger, Instance.plainSocket]
      let isAllowed = { (character: Character) in
        character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
      }
      guard let first = name.first, first != ".", first != "-", name.allSatisfy(isAllowed) else {
        self = .characters
        return
      }
      guard name.utf8.count <= Self.lengthMax else {
        self = .length
        return
      }
      guard plain.contains(name) else { return nil }
      self = .plain
    }

    /// The sentence for the one who typed it.
    public var description: String {
      switch self {
      case .characters: "a name has letters, digits, '-', '_' and '.', and begins with neither '-' nor '.'"
      case .length: "a name has \(Self.lengthMax) characters at most"
      case .plain: "files of the instance without a name are called so; take another name"
      }
    }
  }
}
