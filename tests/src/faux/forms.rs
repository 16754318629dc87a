//! The bytes that travel between receipt computer and link application: XML in UTF-8 and Shift_JIS, PDF, and
//! the encrypted ZIP. Every person, number and institution in them is invented.

/// How a file's bytes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// XML in UTF-8.
    Xml,
    /// XML in Shift_JIS, as it says itself.
    Sjis,
    /// PDF.
    Pdf,
    /// ZIP with one encrypted entry.
    Zip,
    /// XML that says the processing failed.
    Error,
    /// XML that says the processing went well and what was asked for is refused.
    Refused,
}

/// The invented medical institution: ten digits.
pub const INSTITUTION: &str = "1312345678";

impl Form {
    /// Every form.
    pub const ALL: [Self; 6] = [Self::Xml, Self::Sjis, Self::Pdf, Self::Zip, Self::Error, Self::Refused];

    /// The extension its files carry.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Xml | Self::Sjis | Self::Error | Self::Refused => "xml",
            Self::Pdf => "pdf",
            Self::Zip => "zip",
        }
    }

    /// A request of this form; `id` makes it its own, `size` is the least number of bytes.
    pub fn request(self, id: &str, size: usize) -> Vec<u8> {
        self.bytes(id, size, &request_body(id))
    }

    /// An answer of this form; `id` makes it its own, `size` is the least number of bytes.
    pub fn answer(self, id: &str, size: usize) -> Vec<u8> {
        let body = match self {
            Self::Error => error_body(id),
            Self::Refused => refused_body(id),
            _ => answer_body(id),
        };
        self.bytes(id, size, &body)
    }

    fn bytes(self, id: &str, size: usize, body: &str) -> Vec<u8> {
        match self {
            Self::Xml | Self::Error | Self::Refused => xml("UTF-8", "\n", body, size).into_bytes(),
            Self::Sjis => to_shift_jis(&xml("Shift_JIS", "\r\n", body, size)),
            Self::Pdf => pdf(size),
            Self::Zip => zip(id, size),
        }
    }
}

/// What a card reader at reception leaves in the face folder.
pub fn face(id: &str) -> Vec<u8> {
    Form::Xml.answer(id, 0)
}

/// Whether the bytes end as a file of this name must: the last thing a writer writes. Unknown endings never do.
pub fn is_whole(name: &str, bytes: &[u8]) -> bool {
    match name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref() {
        Some("xml") => bytes.trim_ascii_end().ends_with(b"</XmlMsg>"),
        Some("pdf") => bytes.trim_ascii_end().ends_with(b"%%EOF"),
        // The end record without a comment: 22 bytes, the last thing in the file (APPNOTE 4.3.16).
        Some("zip") => bytes.len() >= 22 && bytes[bytes.len() - 22..].starts_with(b"PK\x05\x06"),
        _ => false,
    }
}

/// A whole document: declaration, body, and white space before the end until it is large enough.
fn xml(encoding: &str, line: &str, body: &str, size: usize) -> String {
    let mut text =
        format!("<?xml version=\"1.0\" encoding=\"{encoding}\" standalone=\"no\"?>{line}<XmlMsg>{line}");
    for row in body.lines() {
        text.push_str(row);
        text.push_str(line);
    }
    while text.len() < size {
        text.push_str("                                                              ");
        text.push_str(line);
    }
    text.push_str("</XmlMsg>");
    text.push_str(line);
    text
}

fn request_body(id: &str) -> String {
    format!(
        "<MessageHeader>
<QualificationConfirmationDate>20260401</QualificationConfirmationDate>
<MedicalInstitutionCode>{INSTITUTION}</MedicalInstitutionCode>
<ArbitraryFileIdentifier>{id}</ArbitraryFileIdentifier>
</MessageHeader>
<MessageBody>
<QualificationConfirmSearchInfo>
<InsurerNumber>  123456</InsurerNumber>
<InsuredCardSymbol>見本</InsuredCardSymbol>
<InsuredIdentificationNumber>1001</InsuredIdentificationNumber>
<InsuredBranchNumber>01</InsuredBranchNumber>
<Birthdate>19800102</Birthdate>
<LimitApplicationCertificateRelatedConsFlg>0</LimitApplicationCertificateRelatedConsFlg>
</QualificationConfirmSearchInfo>
</MessageBody>"
    )
}

fn answer_body(id: &str) -> String {
    format!(
        "<MessageHeader>
<ProcessExecutionTime>20260401091500</ProcessExecutionTime>
<CharacterCodeIdentifier>0</CharacterCodeIdentifier>
<SegmentOfResult>1</SegmentOfResult>
<ReferenceClassification>1</ReferenceClassification>
<ArbitraryFileIdentifier>{id}</ArbitraryFileIdentifier>
<MedicalInstitutionCode>{INSTITUTION}</MedicalInstitutionCode>
</MessageHeader>
<MessageBody>
<ResultList>
<ResultOfQualificationConfirmation>
<InsurerNumber>  123456</InsurerNumber>
<Name>見本　花子</Name>
<NameKana>ﾐﾎﾝ ﾊﾅｺ</NameKana>
<Sex1>1</Sex1>
<Birthdate>19800102</Birthdate>
<Address>東京都</Address>
<InsuredCardValidDate>20260401</InsuredCardValidDate>
</ResultOfQualificationConfirmation>
</ResultList>
<ProcessingResultStatus>1</ProcessingResultStatus>
<QualificationValidity>1</QualificationValidity>
</MessageBody>"
    )
}

fn refused_body(id: &str) -> String {
    format!(
        "<MessageHeader>
<ProcessExecutionTime>20260401091500</ProcessExecutionTime>
<SegmentOfResult>1</SegmentOfResult>
<ArbitraryFileIdentifier>{id}</ArbitraryFileIdentifier>
<MedicalInstitutionCode>{INSTITUTION}</MedicalInstitutionCode>
</MessageHeader>
<MessageBody>
<ProcessingResultStatus>2</ProcessingResultStatus>
<ProcessingResultCode>OQS00001E</ProcessingResultCode>
<ProcessingResultMessage>ﾐﾎﾝ</ProcessingResultMessage>
</MessageBody>"
    )
}

fn error_body(id: &str) -> String {
    format!(
        "<MessageHeader>
<ProcessExecutionTime>20260401091500</ProcessExecutionTime>
<SegmentOfResult>9</SegmentOfResult>
<ErrorCode>OQS00000E</ErrorCode>
<ErrorMessage>ﾐﾎﾝ</ErrorMessage>
<ArbitraryFileIdentifier>{id}</ArbitraryFileIdentifier>
<MedicalInstitutionCode>{INSTITUTION}</MedicalInstitutionCode>
</MessageHeader>
<MessageBody/>"
    )
}

/// The characters our texts use beside ASCII and half-width kana, with their bytes in Shift_JIS (JIS X 0208).
const WIDE: [(char, [u8; 2]); 8] = [
    ('見', [0x8C, 0xA9]),
    ('本', [0x96, 0x7B]),
    ('\u{3000}', [0x81, 0x40]),
    ('花', [0x89, 0xD4]),
    ('子', [0x8E, 0x71]),
    ('東', [0x93, 0x8C]),
    ('京', [0x8B, 0x9E]),
    ('都', [0x93, 0x73]),
];

/// Shift_JIS of our own texts; a character they do not use becomes `?`.
fn to_shift_jis(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        match (letter, u32::from(letter)) {
            (_, code @ 0..=0x7F) => bytes.push(low(code)),
            (_, code @ 0xFF61..=0xFF9F) => bytes.push(low(code - 0xFF61 + 0xA1)),
            (letter, _) => match WIDE.iter().find(|(known, _)| *known == letter) {
                Some((_, pair)) => bytes.extend_from_slice(pair),
                None => bytes.push(b'?'),
            },
        }
    }
    bytes
}

fn low(code: u32) -> u8 {
    u8::try_from(code).expect("invariant: the ranges above lie below 256")
}

/// One empty page, with a true table of places; comments make it large enough.
fn pdf(size: usize) -> Vec<u8> {
    let mut text = String::from("%PDF-1.4\n");
    let mut places = Vec::new();
    for (number, object) in [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
    ]
    .into_iter()
    .enumerate()
    {
        places.push(text.len());
        text.push_str(&format!("{} 0 obj\n{object}\nendobj\n", number + 1));
    }
    while text.len() < size {
        text.push_str("% synthetic\n");
    }
    let table = text.len();
    text.push_str("xref\n0 4\n0000000000 65535 f \n");
    for place in places {
        text.push_str(&format!("{place:010} 00000 n \n"));
    }
    text.push_str(&format!("trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n"));
    text.into_bytes()
}

/// One entry marked as encrypted with AES-256 (APPNOTE 4.4.4 bit 0, method 99 with the AE-2 extra field). Its data
/// stands for cipher text: every byte value occurs, nobody can open it.
fn zip(id: &str, size: usize) -> Vec<u8> {
    let name = format!("{id}.xml");
    let data = noise(id, size.max(512));
    let extra = [0x01, 0x99, 0x07, 0x00, 0x02, 0x00, b'A', b'E', 0x03, 0x08, 0x00];
    let mut shared = Vec::new();
    for word in [0x33_u16, 0x0001, 99, 0, 0x5C81] {
        shared.extend_from_slice(&word.to_le_bytes());
    }
    for long in [0, length(data.len()), length(data.len() - 28)] {
        shared.extend_from_slice(&long.to_le_bytes());
    }
    shared.extend_from_slice(&short(name.len()).to_le_bytes());
    shared.extend_from_slice(&short(extra.len()).to_le_bytes());

    let mut bytes = [b"PK\x03\x04", &shared[..], name.as_bytes(), &extra, &data].concat();
    let directory = bytes.len();
    bytes.extend_from_slice(b"PK\x01\x02\x33\x00");
    bytes.extend_from_slice(&shared);
    bytes.extend_from_slice(&[0; 14]);
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(&extra);
    let long = bytes.len() - directory;
    bytes.extend_from_slice(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    bytes.extend_from_slice(&length(long).to_le_bytes());
    bytes.extend_from_slice(&length(directory).to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes
}

fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn short(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// Bytes that look random and are the same for the same seed (xorshift64).
pub(crate) fn noise(seed: &str, size: usize) -> Vec<u8> {
    let start =
        seed.bytes().fold(0x9E37_79B9_7F4A_7C15_u64, |sum, byte| sum.rotate_left(5) ^ u64::from(byte));
    let mut state = start | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..size).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_whole_as_made_and_torn_one_byte_short() {
        for form in Form::ALL {
            let name = format!("OQSsiquc01res_1.{}", form.extension());
            let bytes = form.answer("0001", 0);
            assert!(is_whole(&name, &bytes), "{form:?}");
            let end = bytes.trim_ascii_end().len() - usize::from(form != Form::Zip);
            let cut = if form == Form::Zip { &bytes[..bytes.len() - 1] } else { &bytes[..end] };
            assert!(!is_whole(&name, cut), "{form:?}");
        }
    }

    #[test]
    fn a_form_is_as_large_as_asked_and_differs_by_its_id() {
        for form in Form::ALL {
            let large = form.answer("0001", 100_000);
            assert!((100_000..100_600).contains(&large.len()), "{form:?}: {}", large.len());
            if form != Form::Pdf {
                assert_ne!(form.answer("0001", 0), form.answer("0002", 0), "{form:?}");
            }
        }
    }

    #[test]
    fn shift_jis_is_what_a_windows_program_writes() {
        assert_eq!(to_shift_jis("見本　花子"), b"\x8c\xa9\x96{\x81@\x89\xd4\x8eq");
        assert_eq!(to_shift_jis("ﾐﾎﾝ ﾊﾅｺ"), b"\xd0\xce\xdd \xca\xc5\xba");
        assert_eq!(to_shift_jis("東京都"), b"\x93\x8c\x8b\x9e\x93s");
        assert!(
            !Form::Sjis.answer("1", 0).contains(&b'?') || Form::Sjis.answer("1", 0).starts_with(b"<?xml")
        );
        assert!(String::from_utf8(Form::Sjis.answer("1", 0)).is_err(), "it must not pass for UTF-8");
    }
}
