#!/usr/bin/env python3
"""What transformers' generate() hears with the made-up Whisper of make_golden_hear.py.

Usage: make_golden_hear_transformers.py [CASE ...]

transformers-CASE.txt in tests/golden/hear/: the language, the windows with prompts and tokens, and the
segments.
"""
import os
import sys

import numpy as np

from make_golden_hear import CONTEXT, OUT, Reference, draw, mix, sound

FALLBACK = {"condition_on_prev_tokens": True, "temperature": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
            "compression_ratio_threshold": 2.4, "no_speech_threshold": 0.6}
# name, seconds, seed of the sound, options of generate(); those of weft are in
# test_hear_transformers.c. In none of them does a prompt fill half the context and its text the
# rest: there generate() stops one token earlier.
GENERATED = [
    ("greedy", 30, 1, {}),
    ("short", 7.3, 3, {"language": "fr"}),
    ("translate", 30, 5, {"language": "de", "task": "translate", "prompt": " Anna, Ben"}),
    ("beam", 30, 2, {"num_beams": 5, "length_penalty": 0.0, "early_stopping": True,
                     "renormalize_logits": True, "logprob_threshold": None}),
    ("long", 75, 1, {"condition_on_prev_tokens": True}),
    ("fallback", 45, 22, FALLBACK),
    ("cool", 45, 24, FALLBACK),
]


class Generator:
    """transformers' Whisper of a folder, told the rules that openai/whisper has by default.

    Three things are put in its place: draws are weft's; compression is that of the text, not of
    the ids as 16 bit numbers; no text has more than half the context.
    """

    def __init__(self, folder):
        import torch
        from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

        torch.set_num_threads(1)
        self.torch = torch
        self.model = WhisperForConditionalGeneration.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager").eval()
        self.features = WhisperFeatureExtractor.from_pretrained(folder)
        self.reference = Reference(folder)
        self.encoding = self.reference.encoding
        self.tokenizer = tokenizer = self.reference.get_tokenizer(True)
        config = self.model.generation_config
        config.max_length, config.pad_token_id = CONTEXT, tokenizer.eot
        config.max_initial_timestamp_index, config.top_k = 50, 0
        config.prev_sot_token_id = tokenizer.sot_prev
        config.suppress_tokens = sorted({*tokenizer.non_speech_tokens, tokenizer.transcribe,
                                         tokenizer.translate, tokenizer.sot, tokenizer.sot_prev,
                                         tokenizer.sot_lm, tokenizer.no_speech})
        config.begin_suppress_tokens = [*tokenizer.encode(" "), tokenizer.eot]
        self.replace()

    def compression(self, ids, vocab_size):
        text = self.tokenizer.decode([i for i in ids.tolist() if i < self.tokenizer.eot])
        return self.reference.whisper.utils.compression_ratio(text.strip())

    def multinomial(self, probabilities, num_samples):
        key = mix(mix(mix(self.seek)) ^ self.attempt)
        sums = np.cumsum(probabilities[0].double().numpy())
        goal = sums[-1] * draw(0, key, self.place, 0)
        self.place += 1
        return self.torch.tensor([[int(np.searchsorted(sums, goal, side="right"))]])

    def is_long(self, ids, scores, **rest):
        return self.torch.full((len(ids),), ids.shape[1] - self.n_prompt >= CONTEXT // 2)

    def replace(self):
        model, averages = self.model, []
        decode, needs = model.generate_with_fallback, model._need_fallback
        average = model._retrieve_avg_logprobs

        def with_fallback(**arguments):
            config = arguments["generation_config"]
            prompt = arguments["decoder_input_ids"][0].tolist()
            self.seek, self.attempt, self.place = int(arguments["seek"][0]), 0, 0
            self.n_prompt = len(prompt)
            out = decode(**arguments)
            self.windows.append("window %d %.1f %s %s %s" % (
                self.seek, config.temperature if config.do_sample else 0,
                "%.7g" % averages[-1] if averages else "-", ",".join(map(str, prompt)),
                ",".join(map(str, out[0][0].tolist()))))
            averages.clear()
            return out

        def need_fallback(*arguments):
            self.attempt, self.place = self.attempt + 1, 0
            return needs(*arguments)

        def average_of(*arguments):
            averages.append(float(average(*arguments)))
            return averages[-1]

        model.generate_with_fallback, model._need_fallback = with_fallback, need_fallback
        model._retrieve_avg_logprobs, model._retrieve_compression_ratio = (average_of,
                                                                           self.compression)

    def listen(self, samples, language=None, task="transcribe", prompt=None, **options):
        """Lines of what was heard."""
        self.windows, torch, model = [], self.torch, self.model
        mel = self.features(samples, sampling_rate=16000, return_tensors="pt", truncation=False,
                            padding="longest").input_features
        if prompt is not None:
            prompt = torch.tensor([self.tokenizer.sot_prev, *self.encoding.encode(prompt)])
        if language is None:
            found = model.detect_language(mel[:, :, :3000]).tolist()
        multinomial, torch.multinomial = torch.multinomial, self.multinomial
        try:
            result = model.generate(mel, language=language, task=task, prompt_ids=prompt,
                                    return_timestamps=True, return_segments=True,
                                    stopping_criteria=[self.is_long],
                                    **{"temperature": 0.0, "logprob_threshold": -1.0,
                                       **options})
        finally:
            torch.multinomial = multinomial
        lines = ["language %s" % (language or self.encoding.decode(found)[2:-2]), *self.windows]
        for s in result["segments"][0]:
            lines.append("segment %.2f %.2f %s" % (float(s["start"]), float(s["end"]),
                                                   ",".join(map(str, s["tokens"].tolist()))))
        return lines


def main(*names):
    generator = Generator(OUT)
    for name, seconds, seed, options in GENERATED:
        if names and name not in names:
            continue
        lines = generator.listen(sound(seconds, seed), **options)
        with open(os.path.join(OUT, f"transformers-{name}.txt"), "w") as f:
            f.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
