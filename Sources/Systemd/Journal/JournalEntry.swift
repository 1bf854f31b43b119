/// One record in the form that the journal takes: `NAME=value` fields, of which values may hold any bytes.
struct JournalEntry: Sendable, Equatable {
  /// Each field's bytes, name, `=` and value.
  private(set) var fields: [[UInt8]] = []

  /// The bytes of all fields.
  var size: Int { fields.reduce(0) { $0 + $1.count } }

  /// The longest name that journald takes (systemd.journal-fields(7)).
  private static let nameBytesMax = 64
  private static let prefix = "CONVERSIOND_"

  init(_ record: LogRecord, identifier: String) {
    // journalctl shows a message with control characters as a blob; fields stay as they are, to be searched for.
    add("MESSAGE", SafeText.escaped(record.message))
    add("PRIORITY", String(record.level.syslogPriority))
    add("SYSLOG_IDENTIFIER", identifier)
    if let id = record.value(of: "event").flatMap(EventCatalog.messageID) { add("MESSAGE_ID", id) }
    for field in record.fields { add(Self.name(of: field.key), field.value) }
  }

  /// `http_status` becomes `CONVERSIOND_HTTP_STATUS`; no sign of a key can end the name or begin another field.
  static func name(of key: String) -> String {
    let signs = key.utf8.prefix(nameBytesMax - prefix.utf8.count).map { byte -> UInt8 in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
      case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 0x20
      default: UInt8(ascii: "_")
      }
    }
    return prefix + String(decoding: signs, as: UTF8.self)
  }

  private mutating func add(_ name: String, _ value: String) {
    fields.append(Array("\(name)=\(value)".utf8))
  }
}
