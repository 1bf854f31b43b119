/// The rule by which the sandbox takes a text for an e-mail address.
///
/// Accepts `local@domain`: at most 254 bytes, one @, no white space or control characters, and a domain of at least two
/// labels. Letters may be of any script. The reference only shows that "Invalid email" exists.
enum EmailRule {
  static func email(_ value: SandboxJSON) -> String? { value.text.flatMap { isEmail($0) ? $0 : nil } }

  static func isEmail(_ text: String) -> Bool {
    guard text.utf8.count <= 254 else { return false }
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { return false }
    let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
    guard labels.count >= 2, labels.allSatisfy({ !$0.isEmpty }) else { return false }
    return text.unicodeScalars.allSatisfy { scalar in
      !scalar.properties.isWhitespace && scalar.properties.generalCategory != .control
    }
  }
}
