import Conversions

/// The reading of a document into a configuration: what was given where, and what was wrong with it.
struct SchemaReading {
  /// A key or section that the document gives.
  struct Given {
    /// The place of its name.
    var name: Position
    /// The place where its value begins.
    var value: Position
    /// True if its value counts: not null, and without a mistake.
    var counts: Bool
  }

  private(set) var configuration: Configuration
  var findings: [Finding] = []
  private(set) var given: [String: Given] = [:]
  /// Keys and sections that an unknown name was probably meant for.
  private var meant: Set<String> = []

  /// Reads everything that the schema knows, and reports everything that it does not know.
  init(_ document: YAMLDocument, _ instance: Instance) {
    configuration = Configuration(
      orders: .init(connection: "", from: "", columns: .init(id: "", placedAt: "")), instance: instance)
    findings = document.findings
    guard let root = document.root else {
      findings.append(
        Finding(position: .start, message: "the file is empty; give at least orders: and what is below it"))
      return
    }
    switch root.content {
    case .refused: break
    case .mapping(let entries):
      readSection("", entries)
      findMissing()
      if given["orders.key"]?.counts != true { configuration.orders.key = configuration.orders.columns.id }
    case .scalar, .list:
      let message = "\(root.shown) is no configuration; write sections such as orders: with keys below them"
      findings.append(Finding(position: root.position, message: message))
    }
  }

  /// Returns the place of a key's value, if the key is given and counts.
  func position(_ path: String) -> Position? {
    given[path].flatMap { $0.counts ? $0.value : nil }
  }

  /// Returns true if the key may be judged: it was not given, or was read without a mistake.
  func isSound(_ path: String) -> Bool {
    if meant.contains(path) { return false }
    guard let key = given[path] else { return true }
    return key.counts || isNull.contains(path)
  }

  private var isNull: Set<String> = []

  /// Returns the key's place, or that of the nearest section around it.
  func nearestPosition(_ path: String) -> Position {
    var rest = path[...]
    while !rest.isEmpty {
      if let found = given[String(rest)] { return found.name }
      rest = rest.lastIndex(of: ".").map { rest[..<$0] } ?? ""
    }
    return .start
  }

  private mutating func readSection(_ section: String, _ entries: [YAMLEntry]) {
    for entry in entries {
      let path = section.isEmpty ? entry.key : "\(section).\(entry.key)"
      if Schema.sections.contains(path) {
        readSection(entry, at: path)
      } else if !entry.key.contains("."), let key = Schema.key(path) {
        readKey(key, entry)
      } else {
        let unknown = UnknownKey(name: entry.key, section: section)
        if let meant = unknown.meant { self.meant.insert(meant) }
        findings.append(Finding(position: entry.position, message: unknown.message))
      }
    }
  }

  private mutating func readSection(_ entry: YAMLEntry, at path: String) {
    given[path] = Given(name: entry.position, value: entry.value.position, counts: true)
    switch entry.value.content {
    case .mapping(let entries): readSection(path, entries)
    case .refused: meant.insert(path)
    case .scalar where entry.value.isNull: break
    case .scalar, .list:
      meant.insert(path)
      let message = "\(entry.value.shown) is not a section; write its keys below \(entry.key):, further to the right"
      findings.append(Finding(position: entry.value.position, message: message))
    }
  }

  private mutating func readKey(_ key: SchemaKey, _ entry: YAMLEntry) {
    var counts = false
    if entry.value.isNull, key.allowsNull {
      isNull.insert(key.path)
    } else {
      counts = key.read(entry.value, &configuration, &findings)
    }
    given[key.path] = Given(name: entry.position, value: entry.value.position, counts: counts)
  }

  private mutating func findMissing() {
    for key in Schema.keys where key.presence.isRequired && given[key.path] == nil {
      var around = key.path[...]
      var isExplained = false
      while !around.isEmpty {
        isExplained = isExplained || meant.contains(String(around))
        around = around.lastIndex(of: ".").map { around[..<$0] } ?? ""
      }
      if isExplained { continue }
      guard case .required(let example) = key.presence else { continue }
      let message = "\(key.path) is missing; it has no default; write \(key.name): and a value, such as \(example)"
      findings.append(Finding(position: nearestPosition(key.path), message: message))
    }
  }
}
