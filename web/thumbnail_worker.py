"""`python -m web.thumbnail_worker PARENT`: makes the small picture of one flight, and ends."""

from .errands import serve_errand
from .thumbnail_making import ThumbnailQuestion, answer_thumbnail

if __name__ == "__main__":
    serve_errand(ThumbnailQuestion, answer_thumbnail)
