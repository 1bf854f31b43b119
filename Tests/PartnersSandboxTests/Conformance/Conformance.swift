import PartnersSandbox
import Testing

/// The API reference, section by section, over a socket.
///
/// Nothing here knows the sandbox from within: each test makes its own data through the API, so that the suite
/// can be pointed at any other server (see `ServedAPI`).
@Suite("API reference", ServedAPITrait()) struct Conformance {}

/// Checks the one shape of API reference, Errors.
func expectError(
  _ answer: APIClient.Answer, _ status: Int, _ code: String, field: String? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(answer.status == status, sourceLocation: sourceLocation)
  #expect(answer.errorCode == code, sourceLocation: sourceLocation)
  #expect(answer.json.members?.map(\.name) == ["error"], sourceLocation: sourceLocation)
  #expect(answer.json["error"]?["message"]?.text?.isEmpty == false, sourceLocation: sourceLocation)
  if let field { #expect(answer.fields.contains(field), sourceLocation: sourceLocation) }
}
