package dev.mixtral.tokenizer;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.tokenizer.SentencePieceModel.ModelType;
import dev.mixtral.tokenizer.SentencePieceModel.NormalizerSpec;
import dev.mixtral.tokenizer.SentencePieceModel.TrainerSpec;
import java.util.OptionalInt;

/// SentencePiece byte-pair encoding with byte fallback, id for id as the original. Immutable and thread-safe.
///
/// Text is not normalised, only spaces become `▁`, behind one dummy `▁`. There is no word splitting: merges run over
/// the whole text, and `▁` is a character like any other. Text that spells a control token is text.
public final class SentencePieceBpe implements Tokenizer {
    /// U+2581, which stands for a space inside pieces.
    static final char SPACE = '\u2581';

    private final Vocabulary vocabulary;
    private final boolean addDummyPrefix;
    private final String unknownSurface;
    private final SpacePrefix spacePrefix;
    private final int bosId;
    private final int eosId;
    private final TokenizerVersion version;

    /// Makes a tokenizer from a parsed model file.
    ///
    /// @param file where the model comes from, for messages
    /// @throws UnsupportedModelException if the model is no byte-pair model, or normalises text in ways that
    ///     Mistral's models do not
    /// @throws ModelFormatException if the vocabulary contradicts itself
    public SentencePieceBpe(String file, SentencePieceModel model) {
        this(file, model, SpacePrefix.EVERY_PART);
    }

    /// Same, for a vocabulary whose rendered chat templates are spaced in another way.
    public SentencePieceBpe(String file, SentencePieceModel model, SpacePrefix spacePrefix) {
        checkSupported(file, model.trainer(), model.normalizer());
        this.vocabulary = new Vocabulary(file, model.pieces());
        if (vocabulary.hasBytes() != model.trainer().byteFallback()) {
            throw new ModelFormatException(
                    file,
                    "trainer_spec.byte_fallback is " + model.trainer().byteFallback() + ", but the vocabulary has "
                            + (vocabulary.hasBytes() ? "byte pieces" : "no byte pieces"));
        }
        this.addDummyPrefix = model.normalizer().addDummyPrefix();
        this.unknownSurface = model.trainer().unknownSurface();
        this.spacePrefix = spacePrefix;
        this.bosId = requireControl(file, model.trainer().bosPiece());
        this.eosId = requireControl(file, model.trainer().eosPiece());
        this.version = versionOf(vocabulary);
    }

    @Override
    public int vocabSize() {
        return vocabulary.size();
    }

    @Override
    public int[] encode(String text) {
        return encode(text, addDummyPrefix);
    }

    @Override
    public int[] encode(byte[] utf8) {
        return encode(Utf8.decode(utf8));
    }

    @Override
    public int[] encodeContinuation(String text) {
        return encode(text, false);
    }

    @Override
    public SpacePrefix spacePrefix() {
        return spacePrefix;
    }

    @Override
    public String decode(int[] ids) {
        StreamDecoder decoder = streamDecoder();
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.append(id));
        }
        return text.append(decoder.finish()).toString();
    }

    @Override
    public StreamDecoder streamDecoder() {
        return new PieceStreamDecoder(vocabulary, unknownSurface, addDummyPrefix);
    }

    @Override
    public String piece(int id) {
        return checked(id).text();
    }

    @Override
    public PieceType type(int id) {
        return checked(id).type();
    }

    @Override
    public byte[] bytes(int id) {
        checked(id);
        return vocabulary.bytes(id, unknownSurface);
    }

    @Override
    public OptionalInt controlId(String piece) {
        int id = vocabulary.controlId(piece);
        return id == Vocabulary.NONE ? OptionalInt.empty() : OptionalInt.of(id);
    }

    @Override
    public int bosId() {
        return bosId;
    }

    @Override
    public int eosId() {
        return eosId;
    }

    @Override
    public int unknownId() {
        return vocabulary.unknownId();
    }

    @Override
    public TokenizerVersion version() {
        return version;
    }

    private int[] encode(String text, boolean withDummyPrefix) {
        if (text.isEmpty()) {
            return new int[0];
        }
        String escaped = withoutLoneSurrogates(text).replace(' ', SPACE);
        return new MergeRun(vocabulary, withDummyPrefix ? SPACE + escaped : escaped).run();
    }

    private Piece checked(int id) {
        if (id < 0 || id >= vocabulary.size()) {
            throw new IllegalArgumentException("token id " + id + " is not in [0, " + vocabulary.size() + ")");
        }
        return vocabulary.piece(id);
    }

    private int requireControl(String file, String piece) {
        int id = vocabulary.controlId(piece);
        if (id == Vocabulary.NONE) {
            throw new ModelFormatException(file, "the vocabulary has no control piece '" + piece + "'");
        }
        return id;
    }

    /// A Java string can hold what UTF-8 cannot; such a char is one U+FFFD, like any other invalid input.
    private static String withoutLoneSurrogates(String text) {
        if (text.chars().noneMatch(c -> Character.isSurrogate((char) c))) {
            return text;
        }
        StringBuilder clean = new StringBuilder(text.length());
        text.codePoints().forEach(c -> clean.appendCodePoint(c >= 0xd800 && c <= 0xdfff ? 0xfffd : c));
        return clean.toString();
    }

    private static TokenizerVersion versionOf(Vocabulary vocabulary) {
        if (vocabulary.controlId("[INST]") == Vocabulary.NONE) {
            return TokenizerVersion.V1;
        }
        return vocabulary.controlId("[PREFIX]") == Vocabulary.NONE ? TokenizerVersion.V2 : TokenizerVersion.V3;
    }

    private static void checkSupported(String file, TrainerSpec trainer, NormalizerSpec normalizer) {
        refuse(
                trainer.modelType() != ModelType.BPE,
                file,
                "trainer_spec.model_type " + trainer.modelType(),
                "byte-pair models (BPE)");
        refuse(
                trainer.whitespaceAsSuffix(),
                file,
                "trainer_spec.treat_whitespace_as_suffix = true",
                "models with whitespace as a prefix");
        refuse(
                normalizer.hasCharacterMap(),
                file,
                "normalizer_spec.precompiled_charsmap (" + normalizer.name() + ")",
                "models without a character map");
        refuse(
                normalizer.removeExtraWhitespaces(),
                file,
                "normalizer_spec.remove_extra_whitespaces = true",
                "models that keep whitespace");
        refuse(
                !normalizer.escapeWhitespaces(),
                file,
                "normalizer_spec.escape_whitespaces = false",
                "models that escape spaces");
    }

    private static void refuse(boolean condition, String file, String setting, String supported) {
        if (condition) {
            throw new UnsupportedModelException(
                    file + ": the tokenizer's " + setting + " is not supported; only " + supported + " can be read");
        }
    }
}
