import Configuration
import Conversions

/// The form in which e-mails are shown to operators, as `log.emails` says.
enum EmailDisplay: Sendable {
  case masked
  case hashed
  case plain

  init(_ emails: Configuration.Log.Emails) {
    switch emails {
    case .masked: self = .masked
    case .hashed: self = .hashed
    case .plain: self = .plain
    }
  }

  func shown(_ email: EmailAddress) -> String {
    switch self {
    case .masked: return email.masked
    case .plain: return email.text
    case .hashed:
      var digest = ContentDigest()
      digest.combine(email.text)
      return "#" + String(UInt64(bitPattern: digest.bits), radix: 16)
    }
  }

  /// Shows a text with addresses in it: a report's body, as metadata may hold some.
  func shown(in text: String) -> String {
    switch self {
    case .plain: text
    case .masked, .hashed: MaskedText.withoutAddresses(text)
    }
  }
}
