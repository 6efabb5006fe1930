#!/usr/bin/env python3
"""A small Whisper with made-up weights and what openai/whisper hears with it: tests/golden/hear/.

Usage: make_golden_hear.py [bundle | trace [CASE ...] | search]    without arguments: everything

The bundle is a folder as transformers writes it (about 200 KB): a vocabulary of bytes and a few
hundred words, 9 languages, 1501 times; two layers each, 16 wide. Nothing is learned. The embeddings
are built so that times, text and ends all occur, and change with the sound: see weights().

The traces are openai/whisper's (float32, on one thread): windows by greedy and by beam, whole
recordings with words. It draws by weft's rule (base/draw.h), so windows that fall back to higher
temperatures are equal, too. The sound is made by a formula that the test repeats.

search.txt is what openai/whisper's beams find in logits of a formula (Script). What transformers hears
is made by make_golden_hear_transformers.py.
"""
import base64
import json
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "tests", "golden", "hear")
SEED = 6
D, HEADS, FFN, LAYERS, BINS = 16, 2, 64, 2, 80
CONTEXT, FRAMES = 448, 1500
LANGUAGES = ["en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt"]
N_TIMES = 1501
TEXT = """The meeting begins. We talk about the budget, the plan for the next year and who does what
until when. Anna says that the numbers are not there yet. Ben asks: "When will they be there?" On
Friday, she says, or on Monday at the latest (if the office is open). And the house? It's not sold.
Don't worry! There is time; the roof has to be repaired first - and that will cost 1,240.00 euros.
Wir sprechen über das Haus, das Dach und die Kosten. Es wird teuer, aber schön. Größe und Straße.
今日は会議です。予算と計画について話します。¿Cuándo empezamos? Мы говорим о доме. « Très bien », dit-elle.
Thank you. Thank you very much. Yes. No. Okay, then we go on with the next point of the list. Yes. No.
Yes - no - okay - and so on - the end 'the' 'end' 'of' 'it' - - - yes. Yes. No. Okay. Okay. ' ' '
The house. The house. It will cost more. That will cost more. More. ♩ ♪ ♫ ♬ ♭ ♮ ♯ ♩ ♪ ♫ ♬ ♭ ♮ ♯
"""


def vocabulary():
    """tokenizer.json as a dict, and the number of text tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=420, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([TEXT] * 4, trainer)
    n_text = tokenizer.get_vocab_size()
    names = ["<|endoftext|>", "<|startoftranscript|>"] + [f"<|{code}|>" for code in LANGUAGES]
    names += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>",
              "<|notimestamps|>"]
    out = json.loads(tokenizer.to_str())
    out["added_tokens"] = [
        {"id": n_text + i, "content": name, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True} for i, name in enumerate(names)]
    return out, n_text, names


def rounded(array):
    return np.asarray(array, np.float32).astype(np.float16)


def weights(n_text, n_special):
    """Tensors by the names of transformers, float16.

    Dimensions 0..2 of the decoder's rows say what kind of token comes next and 3, 4 point to a
    time, as angle; positions of the decoder move them, the layers' noise (and so the sound)
    disturbs them.
    """
    random = np.random.RandomState(SEED)
    n_vocab = n_text + n_special + N_TIMES

    def normal(*shape, scale=1.0):
        return random.standard_normal(shape) * scale

    tensors = {}

    def attention(name):
        for which in ("q", "k", "v", "out"):
            scale = {"q": 1.5, "k": 1.5, "v": 0.7, "out": 0.7}[which]
            tensors[f"{name}.{which}_proj.weight"] = normal(D, D, scale=scale * D ** -0.5)
            if which != "k":
                tensors[f"{name}.{which}_proj.bias"] = normal(D, scale=0.1)

    def norm(name, scale=1.0):
        tensors[f"{name}.weight"] = np.full(D, scale) * (1 + normal(D, scale=0.05))
        tensors[f"{name}.bias"] = normal(D, scale=0.05)

    def layer(name, crosses):
        attention(f"{name}.self_attn")
        norm(f"{name}.self_attn_layer_norm")
        if crosses:
            attention(f"{name}.encoder_attn")
            norm(f"{name}.encoder_attn_layer_norm")
        tensors[f"{name}.fc1.weight"] = normal(FFN, D, scale=D ** -0.5)
        tensors[f"{name}.fc1.bias"] = normal(FFN, scale=0.1)
        tensors[f"{name}.fc2.weight"] = normal(D, FFN, scale=KNOBS["scramble"] * FFN ** -0.5)
        tensors[f"{name}.fc2.bias"] = normal(D, scale=0.1)
        norm(f"{name}.final_layer_norm")

    tensors["encoder.conv1.weight"] = normal(D, BINS, 3, scale=2 * (3 * BINS) ** -0.5)
    tensors["encoder.conv1.bias"] = normal(D, scale=0.1)
    tensors["encoder.conv2.weight"] = normal(D, D, 3, scale=(3 * D) ** -0.5)
    tensors["encoder.conv2.bias"] = normal(D, scale=0.1)
    at = np.arange(FRAMES)[:, None] * np.exp(-np.log(10000) / (D // 2 - 1) * np.arange(D // 2))
    tensors["encoder.embed_positions.weight"] = np.concatenate([np.sin(at), np.cos(at)], axis=1)
    for i in range(LAYERS):
        layer(f"encoder.layers.{i}", False)
        layer(f"decoder.layers.{i}", True)
    norm("encoder.layer_norm")
    norm("decoder.layer_norm", KNOBS["sharp"])

    tokens = np.zeros((n_vocab, D))
    tokens[:n_text + n_special, 5:] = normal(n_text + n_special, D - 5, scale=KNOBS["text"])
    tokens[:n_text, 0] = KNOBS["is_text"]
    tokens[n_text, 1] = KNOBS["is_end"]
    tokens[n_text, 0] = -KNOBS["is_text"]
    times = tokens[n_text + n_special:]
    angle = np.arange(N_TIMES) / N_TIMES * 2 * np.pi * 0.9
    times[:, 2] = KNOBS["is_time"]
    times[:, 3] = np.cos(angle) * KNOBS["angle"]
    times[:, 4] = np.sin(angle) * KNOBS["angle"]
    times[:, 5:] = normal(N_TIMES, D - 5, scale=KNOBS["noise"])
    tensors["decoder.embed_tokens.weight"] = tokens
    positions = normal(CONTEXT, D, scale=KNOBS["position"])
    p = np.arange(CONTEXT)
    positions[:, 2] += KNOBS["wave"] * np.cos(p * 2 * np.pi / KNOBS["period"])
    positions[:, 0] += KNOBS["text_on"]
    positions[:, 1] += KNOBS["end_on"] * np.maximum(0, np.sin(p * 2 * np.pi / 97))
    turn = p / KNOBS["turn"] * 2 * np.pi
    positions[:, 3] += KNOBS["turn_on"] * np.cos(turn)
    positions[:, 4] += KNOBS["turn_on"] * np.sin(turn)
    tensors["decoder.embed_positions.weight"] = positions
    return {f"model.{name}": rounded(value) for name, value in tensors.items()}


KNOBS = {"sharp": 2.1, "text": 0.5, "is_text": 0.3, "is_end": 1.2, "is_time": 1.0, "angle": 1.0,
         "noise": 0.15, "position": 0.5, "wave": 2.0, "period": 9, "text_on": 0.5, "end_on": 1.0,
         "turn": 60, "turn_on": 2.0, "scramble": 6.0}


def sound(seconds, seed):
    """16 kHz: bursts of three tones that change, with pauses. The test has the same formula."""
    n = int(seconds * 16000)
    t = np.arange(n, dtype=np.float64)
    out = np.zeros(n, np.float32)
    state = seed
    at = 0
    while at < n:
        tones = []
        for _ in range(3):
            state = (state * 1103515245 + 12345) & 0x7fffffff
            tones.append(80 + state % 3000)
        state = (state * 1103515245 + 12345) & 0x7fffffff
        length = 1600 + state % 12000
        state = (state * 1103515245 + 12345) & 0x7fffffff
        loud = 0.0 if state % 7 == 0 else 0.02 + (state % 100) * 0.001
        end = min(at + length, n)
        for hz in tones:
            out[at:end] += (loud * np.sin(2 * np.pi * hz * t[at:end] / 16000)).astype(np.float32)
        at = end
    return out


def config(n_vocab, n_text, names):
    token = {name: n_text + i for i, name in enumerate(names)}
    model = {"architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper",
             "activation_function": "gelu", "d_model": D, "encoder_layers": LAYERS,
             "decoder_layers": LAYERS, "encoder_attention_heads": HEADS,
             "decoder_attention_heads": HEADS, "encoder_ffn_dim": FFN, "decoder_ffn_dim": FFN,
             "num_mel_bins": BINS, "max_source_positions": FRAMES, "max_target_positions": CONTEXT,
             "vocab_size": n_vocab, "scale_embedding": False, "tie_word_embeddings": True,
             "is_encoder_decoder": True, "median_filter_width": 7,
             "bos_token_id": token["<|endoftext|>"], "eos_token_id": token["<|endoftext|>"],
             "pad_token_id": token["<|endoftext|>"],
             "decoder_start_token_id": token["<|startoftranscript|>"],
             "suppress_tokens": None, "begin_suppress_tokens": None, "torch_dtype": "float16"}
    generation = {"alignment_heads": [[1, 0], [1, 1]], "is_multilingual": True,
                  "decoder_start_token_id": token["<|startoftranscript|>"],
                  "eos_token_id": token["<|endoftext|>"],
                  "no_timestamps_token_id": token["<|notimestamps|>"],
                  "lang_to_id": {f"<|{code}|>": token[f"<|{code}|>"] for code in LANGUAGES},
                  "task_to_id": {"transcribe": token["<|transcribe|>"],
                                 "translate": token["<|translate|>"]}}
    audio = {"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": BINS,
             "sampling_rate": 16000, "hop_length": 160, "n_fft": 400, "chunk_length": 30,
             "n_samples": 480000, "nb_max_frames": 3000, "padding_value": 0.0, "padding_side": "right"}
    return model, generation, audio


def bundle():
    from safetensors.numpy import save_file

    tokenizer, n_text, names = vocabulary()
    tensors = weights(n_text, len(names))
    model, generation, audio = config(n_text + len(names) + N_TIMES, n_text, names)
    os.makedirs(OUT, exist_ok=True)
    for name, value in (("tokenizer.json", tokenizer), ("config.json", model),
                        ("generation_config.json", generation), ("preprocessor_config.json", audio)):
        with open(os.path.join(OUT, name), "w") as f:
            json.dump(value, f, ensure_ascii=True, indent=None, separators=(",", ":"))
            f.write("\n")
    path = os.path.join(OUT, "model.safetensors")
    save_file(tensors, path, metadata={"format": "pt"})
    os.chmod(path, 0o644)


def openai_name(name):
    """The name that openai/whisper has for a tensor of transformers."""
    name = name.removeprefix("model.")
    for a, b in ((".layers.", ".blocks."), ("encoder_attn_layer_norm", "cross_attn_ln"),
                 ("self_attn_layer_norm", "attn_ln"), ("encoder_attn", "cross_attn"),
                 ("self_attn", "attn"), ("final_layer_norm", "mlp_ln"), ("fc1", "mlp.0"),
                 ("fc2", "mlp.2"), ("q_proj", "query"), ("k_proj", "key"), ("v_proj", "value"),
                 ("out_proj", "out"), ("encoder.layer_norm", "encoder.ln_post"),
                 ("decoder.layer_norm", "decoder.ln"),
                 ("encoder.embed_positions.weight", "encoder.positional_embedding"),
                 ("decoder.embed_positions.weight", "decoder.positional_embedding"),
                 ("embed_tokens", "token_embedding")):
        name = name.replace(a, b)
    return name


def mix(x):
    mask = (1 << 64) - 1
    x = (x + 0x9e3779b97f4a7c15) & mask
    x = ((x ^ (x >> 30)) * 0xbf58476d1ce4e5b9) & mask
    x = ((x ^ (x >> 27)) * 0x94d049bb133111eb) & mask
    return x ^ (x >> 31)


def draw(seed, key, place, attempt):
    """base/draw.h"""
    return (mix(mix(mix(mix(seed) ^ key) ^ place) ^ attempt) >> 11) * 2.0 ** -53


class Reference:
    """openai/whisper with the weights and vocabulary of a folder, drawing as weft does."""

    def __init__(self, folder):
        import tiktoken
        import torch
        import whisper
        from safetensors.numpy import load_file

        torch.set_num_threads(1)
        self.torch, self.whisper = torch, whisper
        self.encoding = self.read_encoding(folder, tiktoken)
        with open(os.path.join(folder, "config.json")) as f:
            c = json.load(f)
        dims = whisper.model.ModelDimensions(
            n_mels=c["num_mel_bins"], n_audio_ctx=c["max_source_positions"],
            n_audio_state=c["d_model"], n_audio_head=c["encoder_attention_heads"],
            n_audio_layer=c["encoder_layers"], n_vocab=c["vocab_size"],
            n_text_ctx=c["max_target_positions"], n_text_state=c["d_model"],
            n_text_head=c["decoder_attention_heads"], n_text_layer=c["decoder_layers"])
        n_languages = len(self.languages)

        class Model(whisper.model.Whisper):
            is_multilingual = property(lambda self: True)
            num_languages = property(lambda self: n_languages)

        self.model = Model(dims)
        tensors = load_file(os.path.join(folder, "model.safetensors"))
        state = {openai_name(name): torch.from_numpy(value.astype(np.float32))
                 for name, value in tensors.items()}
        self.model.load_state_dict(state)
        self.model.eval()
        for module in (whisper.decoding, whisper.transcribe.__globals__):
            patch = self.get_tokenizer
            if isinstance(module, dict):
                module["get_tokenizer"] = patch
            else:
                module.get_tokenizer = patch
        self.draws()

    def read_encoding(self, folder, tiktoken):
        with open(os.path.join(folder, "tokenizer.json")) as f:
            tokenizer = json.load(f)
        table = byte_of_symbol()
        ranks = {bytes(table[c] for c in text): i
                 for text, i in tokenizer["model"]["vocab"].items()}
        specials = {t["content"]: t["id"] for t in tokenizer["added_tokens"]}
        first = max(specials.values()) + 1
        self.languages = [name[2:-2] for name, i in specials.items()
                          if specials["<|startoftranscript|>"] < i < specials["<|translate|>"]]
        for i in range(N_TIMES):
            specials[f"<|{i * 0.02:.2f}|>"] = first + i
        return tiktoken.Encoding(
            name="hear", explicit_n_vocab=len(ranks) + len(specials), mergeable_ranks=ranks,
            pat_str=r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""",
            special_tokens=specials)

    def get_tokenizer(self, multilingual, *, num_languages=99, language=None, task=None):
        from whisper.tokenizer import Tokenizer
        return Tokenizer(encoding=self.encoding, num_languages=num_languages,
                         language=language or "en", task=task or "transcribe")

    def draws(self):
        """weft's draws in place of torch's; the window and the attempt make the key."""
        decoding, torch, this = self.whisper.decoding, self.torch, self
        self.seek, self.attempt, self.seed, self.key = 0, 0, 0, 0

        def update(decoder, tokens, logits, sum_logprobs):
            if decoder.temperature == 0:
                next_tokens = logits.argmax(dim=-1)
            else:
                key = mix(mix(this.key ^ mix(this.seek)) ^ round(decoder.temperature * 5))
                if not hasattr(decoder, "begin"):
                    decoder.begin = tokens.shape[1]
                chosen = []
                logprobs = torch.nn.functional.log_softmax(logits.float(), dim=-1).double().numpy()
                for row, x in enumerate(logprobs):
                    w = np.exp((x - x.max()) / decoder.temperature)
                    goal = w.sum() * draw(this.seed, key, tokens.shape[1] - decoder.begin, row)
                    chosen.append(int(np.searchsorted(np.cumsum(w), goal, side="right")))
                next_tokens = torch.tensor(chosen)
            logprobs = torch.nn.functional.log_softmax(logits.float(), dim=-1)
            current = logprobs[torch.arange(logprobs.shape[0]), next_tokens]
            sum_logprobs += current * (tokens[:, -1] != decoder.eot)
            next_tokens[tokens[:, -1] == decoder.eot] = decoder.eot
            tokens = torch.cat([tokens, next_tokens[:, None]], dim=-1)
            return tokens, (tokens[:, -1] == decoder.eot).all()

        decoding.GreedyDecoder.update = update

    def transcribe(self, samples, **options):
        """whisper.transcribe, which tells each window's frame to the draws."""
        this, whisper = self, self.whisper
        scope = whisper.transcribe.__globals__
        pad = whisper.audio.pad_or_trim
        log_mel = whisper.audio.log_mel_spectrogram

        def remember(*args, **kwargs):
            this.mel = log_mel(*args, **kwargs)
            return this.mel

        def locate(array, *args, **kwargs):
            this.seek = (array.data_ptr() - this.mel.data_ptr()) // this.mel.element_size()
            return pad(array, *args, **kwargs)

        scope["log_mel_spectrogram"], scope["pad_or_trim"] = remember, locate
        try:
            return whisper.transcribe(self.model, samples, fp16=False, verbose=None,
                                      word_timestamps=True, **options)
        finally:
            scope["log_mel_spectrogram"], scope["pad_or_trim"] = log_mel, pad


def byte_of_symbol():
    """GPT-2's spelling of bytes."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table, n = {}, 0
    for byte in range(256):
        if byte in plain:
            table[chr(byte)] = byte
        else:
            table[chr(256 + n)] = byte
            n += 1
    return table


# name, seconds, seed of the sound, options of openai/whisper. Those of weft are in test_hear.c.
# In none of them does a window's text end within a character: there the reference loses a word.
CASES = [
    ("greedy", 75, 1, {}),
    ("beam", 75, 1, {"beam_size": 5, "best_of": 5}),
    ("terms", 33, 5, {"language": "de", "task": "translate", "initial_prompt": "Anna, Ben",
                      "carry_initial_prompt": True, "best_of": 2}),
    ("short", 7.3, 3, {"beam_size": 2}),
    ("japanese", 31, 4, {"language": "ja"}),
]


def trace(*names):
    """trace-CASE.txt: a line for each segment that says something, one for each of its words."""
    reference = Reference(OUT)
    for name, seconds, seed, options in CASES:
        if names and name not in names:
            continue
        result = reference.transcribe(sound(seconds, seed), **options)
        lines = [f"language {result['language']}"]
        for s in result["segments"]:
            if not s["text"].strip():
                continue
            lines.append("segment %d %.17g %.17g %.1f %.7g %.7g %.7g %s" % (
                s["seek"], s["start"], s["end"], s["temperature"], s["avg_logprob"],
                s["no_speech_prob"], s["compression_ratio"], ",".join(map(str, s["tokens"]))))
            for w in s["words"]:
                if word := w["word"].strip():
                    lines.append("word %.2f %.2f %.7g %s" % (w["start"], w["end"],
                                                             w["probability"],
                                                             word.encode("utf-8").hex()))
        with open(os.path.join(OUT, f"trace-{name}.txt"), "w") as f:
            f.write("\n".join(lines) + "\n")
    origin(reference)


# beam_size, patience, length_penalty
SEARCHES = [(2, None, None), (5, None, None), (3, 2.0, None), (5, 0.4, None), (3, None, 0.0),
            (4, 1.5, 1.0), (2, None, 0.6)]
SEARCH_SEEDS = 12
SEARCH_LENGTH = 12


class Script:
    """Logits that are hashes of all sampled tokens, in place of a network. The test has the same."""

    def __init__(self, torch, seed, n_vocab, n_prompt, first_time, eot):
        self.torch, self.seed, self.n_vocab, self.n_prompt = torch, seed, n_vocab, n_prompt
        self.first_time, self.eot = first_time, eot

    def logits(self, tokens, audio_features):
        out = np.zeros((len(tokens), tokens.shape[1], self.n_vocab), np.float32)
        for row, ids in enumerate(tokens.tolist()):
            state = mix(self.seed)
            for i in ids[self.n_prompt:]:
                state = mix(state ^ i)
            depth = len(ids) - self.n_prompt
            for k in range(6):
                u = (mix(state ^ (1000 + k)) >> 11) * 2.0 ** -53
                out[row, -1, self.first_time + k if depth == 0 else 64 + k] = 12 + 3 * u
            if depth > 1:
                u = (mix(state ^ 2000) >> 11) * 2.0 ** -53
                out[row, -1, self.eot] = 11 + 4 * u
        return self.torch.from_numpy(out)

    def rearrange_kv_cache(self, source_indices):
        pass

    def cleanup_caching(self):
        pass


def search():
    """search.txt: seed, beam_size, patience, length_penalty (- for none), average, tokens."""
    reference = Reference(OUT)
    decoding, lines = reference.whisper.decoding, []
    for seed in range(SEARCH_SEEDS):
        for beam_size, patience, length_penalty in SEARCHES:
            task = decoding.DecodingTask(reference.model, decoding.DecodingOptions(
                language="en", beam_size=beam_size, patience=patience, fp16=False,
                length_penalty=length_penalty, sample_len=SEARCH_LENGTH))
            task.inference = task.decoder.inference = Script(
                reference.torch, seed, reference.encoding.n_vocab, len(task.initial_tokens),
                task.tokenizer.timestamp_begin, task.tokenizer.eot)
            found = task.run(reference.torch.zeros(1, FRAMES, D))[0]
            lines.append("%d %d %s %s %.7g %s" % (
                seed, beam_size, patience or "-", "-" if length_penalty is None else length_penalty,
                found.avg_logprob, ",".join(map(str, found.tokens))))
    with open(os.path.join(OUT, "search.txt"), "w") as f:
        f.write("\n".join(lines) + "\n")


def origin(reference):
    import tokenizers
    import torch
    import transformers

    with open(os.path.join(OUT, "ORIGIN"), "w") as f:
        f.write(f"""scripts: tools/make_golden_hear.py, tools/make_golden_hear_transformers.py
versions: openai-whisper {reference.whisper.__version__}, transformers {transformers.__version__}, torch {torch.__version__}, tokenizers {tokenizers.__version__}, numpy {np.__version__}
seed: {SEED}; weights float16, arithmetic float32, one thread; drawn by weft's rule
trace-*.txt: what openai/whisper heard in the sounds of sound(); segments, tokens, windows and times of words must be equal, probabilities within 1e-3
search.txt: what its beams found in logits of a formula (Script); tokens must be equal, averages within 1e-5
transformers-*.txt: prompts, tokens and segments of generate(); must be equal, averages within 1e-3. In its place are put: weft's draws, the compression of text, the limit of half the context (Generator)
""")


if __name__ == "__main__":
    if "bundle" in sys.argv[1:2] or not sys.argv[1:]:
        bundle()
    if "trace" in sys.argv[1:2] or not sys.argv[1:]:
        trace(*sys.argv[2:])
    if "search" in sys.argv[1:2] or not sys.argv[1:]:
        search()
